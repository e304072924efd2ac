import assert from "node:assert/strict";
import { fieldTaskFixture, resultFixture } from "./task-fixture.ts";
import type { TransportContract } from "./transport-harness.ts";
import { allOutcomes, takeOutcomes } from "./transport-harness.ts";

/** Which tasks a worker gets, and how waiting for them ends. */
export function deliveryContract({ promise, worker }: TransportContract): void {
  promise("delivers a published task and its result", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    assert.deepEqual(lease.task, fieldTaskFixture("a"));
    assert.equal(lease.attempt, 1);
    assert.equal(await lease.complete(resultFixture("a")), "stored");
    const [outcome] = await takeOutcomes(transport, 1);
    assert.equal(outcome?.kind === "result" && outcome.result.task, "a");
  });

  promise("a task published twice is delivered once", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await transport.publish(fieldTaskFixture("a"));
    assert.deepEqual(await transport.depth("s"), { waiting: 1, inFlight: 0 });
    const lease = await transport.lease(worker);
    await transport.publish(fieldTaskFixture("a"));
    await lease.complete(resultFixture("a"));
    await transport.publish(fieldTaskFixture("a"));
    assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
    assert.equal((await takeOutcomes(transport, 1)).length, 1);
  });

  promise("a worker gets only the tasks of its engine", async ({ transport }) => {
    await transport.publish({ ...fieldTaskFixture("other"), engine: "other.1" });
    await transport.publish(fieldTaskFixture("mine"));
    assert.equal((await transport.lease(worker)).task.id, "mine");
    assert.equal((await transport.lease({ ...worker, engine: "other.1" })).task.id, "other");
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
    const outcomes = allOutcomes(transport.outcomes("s", { signal: abort.signal }));
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.deepEqual(await outcomes, []);
  });

  promise("stop wakes those who wait", async ({ transport }) => {
    const waiting = assert.rejects(transport.lease(worker));
    const outcomes = allOutcomes(transport.outcomes("s", worker));
    await transport.stop();
    await waiting;
    assert.deepEqual(await outcomes, []);
  });
}
