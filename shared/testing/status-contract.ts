import assert from "node:assert/strict";
import { fieldTaskFixture } from "./task-fixture.ts";
import type { TransportContract } from "./transport-harness.ts";
import { until } from "./transport-harness.ts";

/** What a coordinator can ask about tasks and workers. */
export function statusContract({ promise, worker }: TransportContract): void {
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
}
