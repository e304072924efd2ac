import assert from "node:assert/strict";
import { fieldTaskFixture, resultFixture } from "./task-fixture.ts";
import type { TransportContract } from "./transport-harness.ts";
import { takeOutcomes, until } from "./transport-harness.ts";

/** How long a worker keeps a task, and what the next worker gets of its work. */
export function leasesContract({ promise, policy, worker }: TransportContract): void {
  promise(
    "a silent lease ends and the task goes to another worker with the next attempt",
    async ({ transport, passTime }) => {
      await transport.publish(fieldTaskFixture("a"));
      const first = await transport.lease(worker);
      await passTime(policy.leaseMs + policy.backoffMs(1) + 1);
      await until(async () => first.signal.aborted || null);
      const second = await transport.lease({ ...worker, worker: "w2" });
      assert.equal(second.attempt, 2);
      assert.equal(await second.complete(resultFixture("a")), "stored");
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
    assert.equal(await lease.complete(resultFixture("a")), "stored");
  });

  promise(
    "the first result wins, also a late one, and later ones are refused as exists",
    async ({ transport, passTime }) => {
      await transport.publish(fieldTaskFixture("a"));
      const first = await transport.lease(worker);
      await passTime(policy.leaseMs + policy.backoffMs(1) + 1);
      const second = await transport.lease({ ...worker, worker: "w2" });
      assert.equal(await first.complete(resultFixture("a", 1)), "stored");
      assert.equal(await second.complete(resultFixture("a", 2)), "exists");
      const [outcome] = await takeOutcomes(transport, 1);
      assert.equal(outcome?.kind === "result" && outcome.result.provenance.seconds, 1);
      assert.deepEqual(await transport.depth("s"), { waiting: 0, inFlight: 0 });
    },
  );

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
}
