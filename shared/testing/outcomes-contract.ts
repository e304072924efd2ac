import assert from "node:assert/strict";
import type { TaskResult } from "../messages.ts";
import {
  analysisResultFixture,
  analysisTaskFixture,
  fieldTaskFixture,
  resultFixture,
} from "./task-fixture.ts";
import type { TransportContract } from "./transport-harness.ts";
import { takeOutcomes, until } from "./transport-harness.ts";

/** How results and dead letters are delivered, and how they are removed. */
export function outcomesContract({ promise, worker }: TransportContract): void {
  promise("an outcome that is not acknowledged comes again", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).complete(resultFixture("a"));
    assert.equal((await takeOutcomes(transport, 1, { ack: false })).length, 1);
    assert.equal((await takeOutcomes(transport, 1)).length, 1);
    await transport.publish(fieldTaskFixture("b"));
    await (await transport.lease(worker)).complete(resultFixture("b"));
    const [outcome] = await takeOutcomes(transport, 1);
    assert.equal(outcome?.kind === "result" && outcome.result.task, "b");
  });

  promise("a large result comes whole", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    const lambda1 = Float32Array.from({ length: 600_000 }, (_, i) => (i === 7 ? Number.NaN : i));
    const large = { ...resultFixture("a"), lambda1 } as TaskResult;
    assert.equal(await (await transport.lease(worker)).complete(large), "stored");
    const [outcome] = await takeOutcomes(transport, 1);
    assert.deepEqual(outcome?.kind === "result" && outcome.result, large);
  });

  promise("an analysis' result comes with numbers that are not finite", async ({ transport }) => {
    await transport.publish(analysisTaskFixture("a"));
    const lease = await transport.lease(worker);
    assert.deepEqual(lease.task, analysisTaskFixture("a"));
    const result = analysisResultFixture("a");
    await lease.complete(result);
    const [outcome] = await takeOutcomes(transport, 1);
    assert.deepEqual(outcome?.kind === "result" && outcome.result, result);
  });

  promise("a forgotten task can be published anew", async ({ transport }) => {
    await transport.publish(fieldTaskFixture("a"));
    await (await transport.lease(worker)).reject({ name: "Error", message: "first" });
    await transport.forget(fieldTaskFixture("a"));
    await transport.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    assert.equal(lease.attempt, 1);
    await lease.complete(resultFixture("a"));
    assert.equal((await takeOutcomes(transport, 1))[0]?.kind, "result");
  });

  promise(
    "cancel ends a sweep's leases, queue and outcomes and leaves others alone",
    async ({ transport }) => {
      for (const id of ["a", "b"]) await transport.publish(fieldTaskFixture(id));
      const lease = await transport.lease(worker);
      await transport.publish({ ...fieldTaskFixture("c"), sweep: "another" });
      await transport.cancel("s");
      await until(async () => lease.signal.aborted || null);
      assert.equal(await lease.complete(resultFixture("a")), "exists");
      assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
      const other = await transport.lease(worker);
      assert.equal(other.task.id, "c");
      assert.equal(await other.complete({ ...resultFixture("c"), cell: "c" }), "stored");
      await transport.publish(fieldTaskFixture("a"));
      assert.equal((await transport.lease(worker)).task.id, "a");
    },
  );
}
