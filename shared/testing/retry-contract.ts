import assert from "node:assert/strict";
import { fieldTaskFixture } from "./task-fixture.ts";
import type { TransportContract } from "./transport-harness.ts";
import { takeOutcomes } from "./transport-harness.ts";

/** What follows when a worker does not finish a task. */
export function retryContract({ promise, policy, worker }: TransportContract): void {
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
      const [outcome] = await takeOutcomes(transport, 1);
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
    const [outcome] = await takeOutcomes(transport, 1);
    assert.ok(outcome?.kind === "dead");
    assert.equal(outcome.letter.reason.name, "InvalidTaskError");
    assert.equal(outcome.letter.attempts, 1);
  });
}
