import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../shared/clock.ts";
import { moduleFile } from "../../shared/testing/repository.ts";
import { fieldTaskFixture } from "../../shared/testing/task-fixture.ts";
import { localTransport } from "../../shared/transport/local.ts";
import type { Outcome, Transport } from "../../shared/transport/transport.ts";
import type { TaskOutcome } from "../loop/worker-event.ts";
import type { Worker } from "../worker.ts";
import { startWorker } from "../worker.ts";
import { MISBEHAVIOURS } from "./threads/misbehaving.ts";

/** Time passes as it does, but back-offs are over at once. */
const policy = { leaseMs: 30_000, maxDeliveries: 3, backoffMs: () => 0 };

interface Rig {
  readonly transport: Transport;
  readonly worker: Worker;
  /** How tasks ended, in order. */
  readonly ended: readonly TaskOutcome[];
  publish(id: string, misbehaviour: number): Promise<void>;
  outcomes(count: number): Promise<Outcome[]>;
  /** Waits until a condition on the running tasks holds. */
  until(condition: (progress: readonly number[]) => boolean): Promise<void>;
}

async function withWorker(
  options: { threads?: number; taskTimeoutMs?: number; clock?: Clock },
  body: (rig: Rig) => Promise<void>,
): Promise<void> {
  const transport = localTransport({ policy });
  const ended: TaskOutcome[] = [];
  const worker = startWorker({
    transport,
    name: "w",
    engine: "test.1",
    threads: 1,
    extendEveryMs: 5,
    threadFile: moduleFile("worker/test/threads/misbehaving"),
    onEvent: (event) => event.kind === "ended" && ended.push(event.outcome),
    ...options,
  });
  const deadline = AbortSignal.timeout(30_000);
  try {
    await body({
      transport,
      worker,
      ended,
      async publish(id, snapshot) {
        const weights = await transport.putBlob("s", new Uint8Array(1));
        await transport.publish({ ...fieldTaskFixture(id), snapshot, weights });
      },
      async outcomes(count) {
        const found: Outcome[] = [];
        for await (const outcome of transport.outcomes("s", { signal: deadline })) {
          found.push(outcome);
          await outcome.ack();
          if (found.length === count) break;
        }
        return found;
      },
      async until(condition) {
        while (!condition((await transport.running("s")).map(({ progress }) => progress))) {
          deadline.throwIfAborted();
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    });
  } finally {
    await worker.stop();
    await transport.stop();
  }
}

test("worker: a task's result carries worker, engine and attempt", async () => {
  await withWorker({}, async ({ publish, outcomes }) => {
    await publish("a", MISBEHAVIOURS.none);
    const [outcome] = await outcomes(1);
    assert.ok(outcome?.kind === "result");
    const { worker, engine, attempt } = outcome.result.provenance;
    assert.deepEqual({ worker, engine, attempt }, { worker: "w", engine: "test.1", attempt: 1 });
  });
});

for (const kind of ["throw", "exit"] as const) {
  test(`worker: a task whose thread does ${kind} is tried again and then given up`, async () => {
    await withWorker({}, async ({ worker, ended, publish, outcomes }) => {
      await publish("bad", MISBEHAVIOURS[kind]);
      const [outcome] = await outcomes(1);
      assert.ok(outcome?.kind === "dead");
      assert.equal(outcome.letter.attempts, policy.maxDeliveries);
      await publish("good", MISBEHAVIOURS.none);
      assert.equal((await outcomes(1))[0]?.kind, "result");
      await worker.stop();
      assert.deepEqual(ended, ["failed", "failed", "failed", "done"]);
    });
  });
}

test("worker: a programming fault in a thread keeps its message and stack", async () => {
  await withWorker({}, async ({ publish, outcomes }) => {
    await publish("bad", MISBEHAVIOURS.throw);
    const [outcome] = await outcomes(1);
    assert.ok(outcome?.kind === "dead");
    assert.match(outcome.letter.reason.message, /a fault of the program/);
    assert.match(outcome.letter.reason.stack ?? "", /misbehaving/);
  });
});

test("worker: an invalid task is given up at once", async () => {
  await withWorker({}, async ({ worker, ended, publish, outcomes }) => {
    await publish("invalid", MISBEHAVIOURS.refuse);
    const [outcome] = await outcomes(1);
    assert.ok(outcome?.kind === "dead");
    assert.equal(outcome.letter.reason.name, "InvalidTaskError");
    assert.equal(outcome.letter.attempts, 1);
    await worker.stop();
    assert.deepEqual(ended, ["invalid"]);
  });
});

for (const kind of ["spin", "spinUntilAsked"] as const) {
  test(`worker: a timeout really stops a thread that does ${kind}`, async () => {
    await withWorker({ taskTimeoutMs: 50 }, async ({ worker, ended, publish, outcomes }) => {
      await publish("long", MISBEHAVIOURS[kind]);
      const [outcome] = await outcomes(1);
      assert.ok(outcome?.kind === "dead");
      assert.equal(outcome.letter.reason.name, "TaskTimeoutError");
      await publish("good", MISBEHAVIOURS.none);
      assert.equal((await outcomes(1))[0]?.kind, "result");
      await worker.stop();
      assert.deepEqual(ended, ["timeout", "timeout", "timeout", "done"]);
    });
  });

  test(`worker: stop ends a thread that does ${kind} and gives the task back uncounted`, async () => {
    await withWorker({}, async ({ transport, worker, ended, publish, until }) => {
      await publish("long", MISBEHAVIOURS[kind]);
      await until(([progress]) => (progress ?? 0) > 0);
      await worker.stop(0);
      assert.deepEqual(ended, ["returned"]);
      assert.deepEqual(await transport.depth("s"), { waiting: 1, inFlight: 0 });
      const signal = AbortSignal.timeout(10_000);
      const lease = await transport.lease({ worker: "other", engine: "test.1", signal });
      assert.equal(lease.attempt, 1);
    });
  });

  test(`worker: cancel ends a thread that does ${kind} and frees it`, async () => {
    await withWorker({}, async ({ transport, worker, ended, publish, outcomes, until }) => {
      await publish("long", MISBEHAVIOURS[kind]);
      await until(([progress]) => (progress ?? 0) > 0);
      await transport.cancel("s");
      await publish("good", MISBEHAVIOURS.none);
      assert.equal((await outcomes(1))[0]?.kind, "result");
      await worker.stop();
      assert.deepEqual(ended, ["lost", "done"]);
    });
  });
}

test("worker: the progress of a busy thread is told while it computes", async () => {
  await withWorker({}, async ({ publish, until }) => {
    await publish("long", MISBEHAVIOURS.spinUntilAsked);
    await until(([progress]) => progress === 0.25);
  });
});

test("worker: works on as many tasks at a time as it has threads", async () => {
  await withWorker({ threads: 2 }, async ({ transport, publish, until }) => {
    for (const id of ["a", "b", "c"]) await publish(id, MISBEHAVIOURS.spinUntilAsked);
    await until((progress) => progress.length === 2 && progress.every((value) => value > 0));
    assert.deepEqual(await transport.depth("s"), { waiting: 1, inFlight: 2 });
  });
});

test("worker: stop within its grace lets a running task finish, and takes no other", async () => {
  await withWorker({}, async ({ transport, worker, publish, outcomes, until }) => {
    await publish("a", MISBEHAVIOURS.slow);
    await until(([progress]) => progress === 0.5);
    await publish("b", MISBEHAVIOURS.none);
    const stopped = worker.stop(20_000);
    assert.equal(worker.stop(), stopped);
    await stopped;
    assert.equal((await outcomes(1))[0]?.kind, "result");
    assert.deepEqual(await transport.depth("s"), { waiting: 1, inFlight: 0 });
  });
});

test("worker: of two tasks that were lost twice only one runs at a time, and others beside it", async () => {
  const transport = localTransport({ policy: { ...policy, maxDeliveries: 5 } });
  const signal = AbortSignal.timeout(30_000);
  const publish = async (id: string, snapshot: number) => {
    const weights = await transport.putBlob("s", new Uint8Array(1));
    await transport.publish({ ...fieldTaskFixture(id), snapshot, weights });
  };
  await publish("suspect-1", MISBEHAVIOURS.spinUntilAsked);
  await publish("suspect-2", MISBEHAVIOURS.spinUntilAsked);
  for (let loss = 0; loss < 4; loss++) {
    const lease = await transport.lease({ worker: "lost", engine: "test.1", signal });
    await lease.fail({ name: "Error", message: "lost" });
  }
  const worker = startWorker({
    transport,
    name: "w",
    engine: "test.1",
    threads: 3,
    extendEveryMs: 5,
    threadFile: moduleFile("worker/test/threads/misbehaving"),
  });
  try {
    const started = async () =>
      (await transport.running("s")).filter(({ progress }) => progress > 0).length;
    while ((await started()) === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await transport.running("s")).length, 2, "both are leased");
    await publish("other", MISBEHAVIOURS.none);
    for await (const outcome of transport.outcomes("s", { signal })) {
      assert.equal(outcome.kind === "result" && outcome.result.task, "other");
      break;
    }
    assert.equal(await started(), 1);
  } finally {
    await worker.stop();
    await transport.stop();
  }
});
