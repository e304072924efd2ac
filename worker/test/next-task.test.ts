import assert from "node:assert/strict";
import { test } from "node:test";
import { manualClock } from "../../shared/testing/manual-clock.ts";
import { moduleFile } from "../../shared/testing/repository.ts";
import { fieldTaskFixture } from "../../shared/testing/task-fixture.ts";
import { localTransport } from "../../shared/transport/local.ts";
import type { Lease, Transport } from "../../shared/transport/transport.ts";
import type { Worker } from "../worker.ts";
import { startWorker } from "../worker.ts";
import { MISBEHAVIOURS } from "./threads/misbehaving.ts";

const policy = { leaseMs: 1_500, maxDeliveries: 3, backoffMs: () => 0 };
/** Longer than a worker keeps a task that waits for its thread. */
const LONG_MS = 5_000;

interface Rig {
  readonly transport: Transport;
  readonly worker: Worker;
  /** Digests of the weights that the worker has asked for. */
  readonly asked: readonly string[];
  /** @returns the digest of its weights. */
  publish(id: string, misbehaviour: number): Promise<string>;
  /** Waits until the sweep has so many results. */
  results(count: number): Promise<void>;
  /** Leases are extended meanwhile. */
  passTime(ms: number): Promise<void>;
  /** Waits until so many tasks wait, and so many are leased. */
  depth(waiting: number, inFlight: number): Promise<void>;
}

/** With one thread, whose last task took no time. */
async function withQuickWorker(
  body: (rig: Rig) => Promise<void>,
  change: (lease: Lease) => Partial<Lease> = () => ({}),
): Promise<void> {
  const clock = manualClock();
  const transport = localTransport({ policy, clock });
  const asked: string[] = [];
  const extended = new Set<string>();
  const worker = startWorker({
    transport: {
      ...transport,
      async getBlob(sweep, digest, options) {
        asked.push(digest);
        return await transport.getBlob(sweep, digest, options);
      },
      async lease(wanted) {
        const lease = await transport.lease(wanted);
        const extend = async (progress: number) => {
          await lease.extend(progress);
          extended.add(lease.task.id);
        };
        return { ...lease, extend, ...change(lease) };
      },
    },
    name: "w",
    engine: "test.1",
    threads: 1,
    extendEveryMs: 1,
    threadFile: moduleFile("worker/test/threads/misbehaving"),
    clock,
  });
  const signal = AbortSignal.timeout(30_000);
  const rig: Rig = {
    transport,
    worker,
    asked,
    async passTime(ms) {
      for (let left = ms; left > 0; left -= policy.leaseMs / 2) {
        clock.advance(Math.min(left, policy.leaseMs / 2));
        extended.clear();
        const isAlive = async () =>
          (await transport.running("s")).every(({ task }) => extended.has(task.id));
        while (!(await isAlive())) {
          signal.throwIfAborted();
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
    async publish(id, snapshot) {
      const weights = await transport.putBlob("s", new TextEncoder().encode(id));
      await transport.publish({ ...fieldTaskFixture(id), snapshot, weights });
      return weights;
    },
    async results(count) {
      let found = 0;
      for await (const outcome of transport.outcomes("s", { signal })) {
        assert.equal(outcome.kind, "result");
        await outcome.ack();
        if (++found === count) return;
      }
    },
    async depth(waiting, inFlight) {
      for (;;) {
        const depth = await transport.depth("s");
        if (depth.waiting === waiting && depth.inFlight === inFlight) return;
        if (signal.aborted) assert.deepEqual(depth, { waiting, inFlight });
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  try {
    await rig.publish("quick", MISBEHAVIOURS.none);
    await rig.results(1);
    await body(rig);
  } finally {
    const stopped = worker.stop();
    clock.advance(LONG_MS); // its grace
    await stopped;
    await transport.stop();
  }
}

const other = () => ({ worker: "other", engine: "test.1", signal: AbortSignal.timeout(30_000) });

test("next task: while a thread computes it has the next task and its weights, and no third", async () => {
  await withQuickWorker(async ({ transport, asked, publish, depth }) => {
    await publish("long", MISBEHAVIOURS.spinUntilAsked);
    await depth(0, 1);
    const weights = await publish("next", MISBEHAVIOURS.none);
    await depth(0, 2);
    assert.equal(asked.at(-1), weights);
    await publish("third", MISBEHAVIOURS.none);
    assert.equal((await transport.lease(other())).task.id, "third");
  });
});

test("next task: a worker that stops gives it back uncounted, before the running task ends", async () => {
  await withQuickWorker(async ({ transport, worker, publish, depth }) => {
    await publish("long", MISBEHAVIOURS.spinUntilAsked);
    await publish("next", MISBEHAVIOURS.none);
    await depth(0, 2);
    void worker.stop(LONG_MS);
    const { task, attempt } = await transport.lease(other());
    assert.deepEqual([task.id, attempt], ["next", 1]);
    assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 2 });
  });
});

test("next task: its lease is extended while it waits", async () => {
  await withQuickWorker(async ({ transport, publish, depth, passTime }) => {
    await publish("long", MISBEHAVIOURS.spinUntilAsked);
    await publish("next", MISBEHAVIOURS.none);
    await depth(0, 2);
    await passTime(1.2 * policy.leaseMs);
    assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 2 });
  });
});

test("next task: an idle worker has it if the running one takes longer than expected", async () => {
  await withQuickWorker(async ({ transport, publish, depth, passTime }) => {
    await publish("long", MISBEHAVIOURS.spinUntilAsked);
    await publish("next", MISBEHAVIOURS.none);
    await depth(0, 2);
    await passTime(LONG_MS);
    const { task, attempt } = await transport.lease(other());
    assert.deepEqual([task.id, attempt], ["next", 1]);
    await publish("another", MISBEHAVIOURS.none); // the thread does not ask again
    assert.equal((await transport.lease(other())).task.id, "another");
  });
});

test("next task: a thread computes it while the result of the last one is handed in", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const handedIn: string[] = [];
  const slowly = (lease: Lease): Partial<Lease> => ({
    async complete(result) {
      handedIn.push(result.task);
      if (result.task === "a") await gate;
      return await lease.complete(result);
    },
  });
  await withQuickWorker(async ({ transport, publish, results, depth }) => {
    await publish("a", MISBEHAVIOURS.none);
    await publish("b", MISBEHAVIOURS.none);
    await publish("c", MISBEHAVIOURS.none);
    await depth(0, 3); // a on its way, b computed, c ready
    assert.deepEqual(handedIn, ["quick", "a"], "results pile up");
    open();
    await results(3);
    assert.deepEqual(handedIn, ["quick", "a", "b", "c"]);
    assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
  }, slowly);
});

test("next task: none is leased while nothing is known of how long the worker's tasks take", async () => {
  const transport = localTransport({ policy });
  const long = { ...fieldTaskFixture("long"), snapshot: MISBEHAVIOURS.spinUntilAsked };
  const weights = await transport.putBlob("s", new Uint8Array(1));
  await transport.publish({ ...long, weights });
  const worker = startWorker({
    transport,
    name: "w",
    engine: "test.1",
    threads: 1,
    extendEveryMs: 1,
    threadFile: moduleFile("worker/test/threads/misbehaving"),
  });
  const signal = AbortSignal.timeout(30_000);
  while ((await transport.running("s"))[0]?.progress !== 0.25) {
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await transport.publish({ ...long, id: "next", weights });
  assert.equal((await transport.lease(other())).task.id, "next");
  await worker.stop();
  await transport.stop();
});
