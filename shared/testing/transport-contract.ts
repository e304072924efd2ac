import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../identity.ts";
import type { TaskResult } from "../messages.ts";
import type { LeasePolicy, Outcome, Transport } from "../transport/transport.ts";
import { fieldTaskFixture } from "./task-fixture.ts";

interface Harness {
  readonly transport: Transport;
  /** Lets so much time pass for the transport's leases and back-offs. */
  passTime(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** What every transport promises (`transport.ts`), as tests. */
export function transportContract(
  name: string,
  policy: LeasePolicy,
  start: () => Promise<Harness>,
): void {
  const promise = (claim: string, body: (harness: Harness) => Promise<void>) =>
    test(`${name} transport: ${claim}`, async () => {
      const harness = await start();
      try {
        await body(harness);
      } finally {
        await harness.stop();
      }
    });
  const worker = { worker: "w1", engine: "test.1", signal: deadline() };

  promise("delivers a published task and its result", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    assert.deepEqual(lease.task, fieldTaskFixture("a"));
    assert.equal(lease.attempt, 1);
    assert.equal(await lease.complete(result("a")), "stored");
    const [outcome] = await take(transport, 1);
    assert.equal(outcome?.kind === "result" && outcome.result.task, "a");
  });

  promise("a task published twice is delivered once", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await transport.publish(fieldTaskFixture("a"));
    assert.deepEqual(await transport.depth("s"), { waiting: 1, inFlight: 0 });
    const lease = await transport.lease(worker);
    await transport.publish(fieldTaskFixture("a"));
    await lease.complete(result("a"));
    await transport.publish(fieldTaskFixture("a"));
    assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
    assert.equal((await take(transport, 1)).length, 1);
  });

  promise("a worker gets only the tasks of its engine", async ({ transport }) => {
    await transport.publish({ ...fieldTaskFixture("other"), engine: "other.1" });
    await transport.publish(fieldTaskFixture("mine"));
    assert.equal((await transport.lease(worker)).task.id, "mine");
    assert.equal((await transport.lease({ ...worker, engine: "other.1" })).task.id, "other");
  });

  promise("depth counts waiting and leased tasks of one sweep", async ({ transport }) => {
    for (const id of ["a", "b", "c"]) await transport.publish(fieldTaskFixture(id));
    await transport.lease(worker);
    await transport.publish({ ...fieldTaskFixture("d"), sweep: "another" });
    assert.deepEqual(await transport.depth("s"), { waiting: 2, inFlight: 1 });
  });

  promise("running and workers tell worker, attempt and progress", async ({ transport }) => {
    const rates = { train: 1e9, field: 2e9 };
    const profile = { name: "w1", engine: "test.1", threads: 2, version: "0", rates };
    await transport.announce(profile);
    await transport.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    await lease.extend(0.25);
    const [running] = await until(async () => {
      const found = await transport.running("s");
      return found[0]?.progress === 0.25 ? found : null;
    });
    const [status] = await transport.workers();
    const { since: _, seen: __, running: tasks, ...said } = status!;
    assert.deepEqual(said, profile);
    assert.deepEqual(
      tasks.map(({ since: _, ...task }) => task),
      [{ id: "a", sweep: "s", attempt: 1, progress: 0.25 }],
    );
    assert.equal(running?.task.id, "a");
    assert.equal(running?.worker, "w1");
    assert.equal(running?.attempt, 1);
    assert.equal(running?.progress, 0.25);
  });

  promise(
    "a silent lease ends and the task goes to another worker with the next attempt",
    async ({ transport, passTime }) => {
      await transport.publish(fieldTaskFixture("a"));
      const first = await transport.lease(worker);
      await passTime(policy.leaseMs + policy.backoffMs(1) + 1);
      await until(async () => first.signal.aborted || null);
      const second = await transport.lease({ ...worker, worker: "w2" });
      assert.equal(second.attempt, 2);
      assert.equal(await second.complete(result("a")), "stored");
    },
  );

  promise("extending keeps a lease alive", async ({ transport, passTime }) => {
    await transport.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    for (let i = 0; i < 4; i++) {
      await passTime(policy.leaseMs * 0.6);
      await lease.extend(i / 4);
    }
    assert.equal(lease.signal.aborted, false);
    assert.equal(await lease.complete(result("a")), "stored");
  });

  promise(
    "the first result wins, also a late one, and later ones are refused as exists",
    async ({ transport, passTime }) => {
      await transport.publish(fieldTaskFixture("a"));
      const first = await transport.lease(worker);
      await passTime(policy.leaseMs + policy.backoffMs(1) + 1);
      const second = await transport.lease({ ...worker, worker: "w2" });
      assert.equal(await first.complete(result("a", 1)), "stored");
      assert.equal(await second.complete(result("a", 2)), "exists");
      const [outcome] = await take(transport, 1);
      assert.equal(outcome?.kind === "result" && outcome.result.provenance.seconds, 1);
      assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
    },
  );

  promise(
    `a task that fails ${policy.maxDeliveries} times becomes a dead letter with the last reason`,
    async ({ transport, passTime }) => {
      await transport.publish(fieldTaskFixture("a"));
      for (let attempt = 1; attempt <= policy.maxDeliveries; attempt++) {
        const lease = await transport.lease(worker);
        assert.equal(lease.attempt, attempt);
        await lease.fail({ name: "Error", message: `failure ${attempt}` });
        await passTime(policy.backoffMs(attempt) + 1);
      }
      const [outcome] = await take(transport, 1);
      assert.ok(outcome?.kind === "dead");
      assert.equal(outcome.letter.task, "a");
      assert.equal(outcome.letter.attempts, policy.maxDeliveries);
      assert.equal(outcome.letter.reason.message, `failure ${policy.maxDeliveries}`);
    },
  );

  promise("a failed task waits for its back-off", async ({ transport, passTime }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).fail({ name: "Error", message: "x" });
    await transport.publish(fieldTaskFixture("b"));
    assert.equal((await transport.lease(worker)).task.id, "b");
    await passTime(policy.backoffMs(1) + 1);
    assert.equal((await transport.lease(worker)).task.id, "a");
  });

  promise("a task given back comes again as the same attempt", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).giveBack();
    assert.equal((await transport.lease(worker)).attempt, 1);
  });

  promise("a rejected task is a dead letter at once", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).reject({ name: "InvalidTaskError", message: "no" });
    const [outcome] = await take(transport, 1);
    assert.ok(outcome?.kind === "dead");
    assert.equal(outcome.letter.reason.name, "InvalidTaskError");
    assert.equal(outcome.letter.attempts, 1);
  });

  promise("an outcome that is not acknowledged comes again", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).complete(result("a"));
    assert.equal((await take(transport, 1, { ack: false })).length, 1);
    assert.equal((await take(transport, 1)).length, 1);
    await transport.publish(fieldTaskFixture("b"));
    await (await transport.lease(worker)).complete(result("b"));
    const [outcome] = await take(transport, 1);
    assert.equal(outcome?.kind === "result" && outcome.result.task, "b");
  });

  promise(
    "cancel ends a sweep's leases, queue and outcomes and leaves others alone",
    async ({ transport }) => {
      for (const id of ["a", "b"]) await transport.publish(fieldTaskFixture(id));
      const lease = await transport.lease(worker);
      await transport.publish({ ...fieldTaskFixture("c"), sweep: "another" });
      await transport.cancel("s");
      await until(async () => lease.signal.aborted || null);
      assert.equal(await lease.complete(result("a")), "exists");
      assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
      const other = await transport.lease(worker);
      assert.equal(other.task.id, "c");
      assert.equal(await other.complete({ ...result("c"), cell: "c" }), "stored");
      await transport.publish(fieldTaskFixture("a"));
      assert.equal((await transport.lease(worker)).task.id, "a");
    },
  );

  promise("blobs are put and got by the digest of their content", async ({ transport }) => {
    const bytes = new Uint8Array([1, 2, 3]);
    const digest = await transport.putBlob("s", bytes);
    assert.equal(digest, digestOf(bytes));
    assert.deepEqual(await transport.getBlob("s", digest, worker), bytes);
    await transport.dropBlob("s", digest);
    await transport.dropBlob("s", digest);
    await assert.rejects(transport.getBlob("s", digest, worker), new RegExp(digest));
  });

  promise("a blob is dropped for one sweep and stays for another", async ({ transport }) => {
    const bytes = new Uint8Array(3_000_000).map((_, i) => i * 7);
    const digest = await transport.putBlob("s", bytes);
    await transport.putBlob("s", bytes);
    await transport.putBlob("another", bytes);
    await transport.dropBlob("s", digest);
    await assert.rejects(transport.getBlob("s", digest, worker), new RegExp(digest));
    assert.deepEqual(await transport.getBlob("another", digest, worker), bytes);
  });

  promise("a checkpoint goes to the next delivery, the latest of them", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    const first = await transport.lease(worker);
    assert.equal(await first.checkpoint(), null);
    const latest = new Uint8Array(1_500_000).fill(3);
    for (const bytes of [new Uint8Array([1]), new Uint8Array(2_000_000), latest]) {
      await first.saveCheckpoint(bytes);
    }
    await first.giveBack();
    const second = await transport.lease(worker);
    assert.deepEqual(await second.checkpoint(), latest);
    assert.equal(second.attempt, 1);
  });

  promise("a large result comes whole", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    const lambda1 = Float32Array.from({ length: 600_000 }, (_, i) => (i === 7 ? Number.NaN : i));
    const large = { ...result("a"), lambda1 } as TaskResult;
    assert.equal(await (await transport.lease(worker)).complete(large), "stored");
    const [outcome] = await take(transport, 1);
    assert.deepEqual(outcome?.kind === "result" && outcome.result, large);
  });

  promise("a forgotten task can be published anew", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).reject({ name: "Error", message: "first" });
    await transport.forget(fieldTaskFixture("a"));
    await transport.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    assert.equal(lease.attempt, 1);
    await lease.complete(result("a"));
    assert.equal((await take(transport, 1))[0]?.kind, "result");
  });

  promise("workers serve sweeps by turns", async ({ transport }) => {
    for (const sweep of ["s", "another"]) {
      for (let i = 0; i < 4; i++) {
        await transport.publish({ ...fieldTaskFixture(`${sweep}-${i}`), sweep });
      }
    }
    const order: string[] = [];
    for (let i = 0; i < 6; i++) order.push((await transport.lease(worker)).task.sweep);
    assert.equal(order.filter((sweep) => sweep === "s").length, 3, order.join(" "));
  });

  promise("a malformed task is refused when it is published", async ({ transport }) => {
    await assert.rejects(transport.publish({ ...fieldTaskFixture("a"), version: 99 } as never), {
      name: "InvalidTaskError",
    });
  });

  promise("waiting for a task and for outcomes ends with the signal", async ({ transport }) => {
    const abort = new AbortController();
    const waiting = transport.lease({ ...worker, signal: abort.signal });
    const outcomes = collect(transport.outcomes("s", { signal: abort.signal }));
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.deepEqual(await outcomes, []);
  });

  promise("stop wakes those who wait", async ({ transport }) => {
    const waiting = assert.rejects(transport.lease(worker));
    const outcomes = collect(transport.outcomes("s", worker));
    await transport.stop();
    await waiting;
    assert.deepEqual(await outcomes, []);
  });
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

function result(id: string, seconds = 0): TaskResult {
  return {
    kind: "field",
    task: id,
    cell: "c",
    lambda1: new Float32Array(1),
    direction: new Float32Array(1),
    output: new Float32Array(1),
    provenance: { worker: "w1", engine: "test.1", version: "0", attempt: 1, seconds },
  };
}

async function take(transport: Transport, count: number, { ack = true } = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const outcome of transport.outcomes("s", { signal: deadline() })) {
    outcomes.push(outcome);
    if (ack) await outcome.ack();
    if (outcomes.length === count) break;
  }
  return outcomes;
}

/** Waits for what a condition gives. */
async function until<T>(condition: () => Promise<T | null>): Promise<T> {
  const signal = deadline();
  for (;;) {
    const found = await condition();
    if (found !== null) return found;
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function collect(outcomes: AsyncIterable<Outcome>): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all;
}
