import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { planSweep } from "../../coordinator/plan/plan.ts";
import { parseSweep } from "../../coordinator/spec/parse-sweep.ts";
import { cellFolder } from "../../coordinator/store/layout.ts";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { inFolder } from "./support/folder.ts";
import type { Running } from "./support/ftle.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { examine, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

const MANY_TASKS = `
axes: {width: [4, 6], depth: [2, 3], seed: {count: 5}}
data: {name: circle, samples: 400}
training: {epochs: 20, batch: 20}
field: {points: 48, tile: 16}
`;
const TASKS = 20 * (1 + 9);

/** The small network comes first; then one that trains for minutes, and looks often whether to stop. */
const LONG_TRAINING = `
axes: {width: [1, 200], depth: 4, seed: {count: 2}}
data: {name: circle, samples: 100}
training: {epochs: 2000, batch: 20}
field: none
engine: reference
`;

/** A single batch of the second network takes longer than a thread has to stop of itself. */
const LONG_BATCH = `
axes: {width: [1, 300], depth: 12, seed: {count: 2}}
data: {name: circle, samples: 20000}
training: {epochs: 1, batch: 18000}
field: none
engine: reference
`;

/** The bound of the acceptance criterion. */
const STOP_WITHIN_MS = 3_000;

/** Starts a sweep, and goes on when its first result is stored. */
async function started(folder: string, spec: string): Promise<{ run: Running; directory: string }> {
  const file = join(folder, "spec.yaml");
  const directory = join(folder, "out");
  await writeFile(file, spec);
  const run = spawnFtle("run", file, "--out", directory, "--no-plot", "--threads", "1");
  await until("a result is stored", async () => (await journalled(directory)).length > 0);
  return { run, directory };
}

describe("interrupt", { concurrency: 2 }, () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`interrupt: ${signal} ends a run with 130 and its continuation, and resume completes it`, async () => {
      await inFolder(async (folder) => {
        const { run, directory } = await started(folder, MANY_TASKS);
        run.kill(signal);
        const { code, stdout, stderr } = await run.ended;
        assert.equal(code, 130);
        assert.match(stderr, new RegExp(`ftle resume ${directory}`));
        assert.doesNotMatch(stderr, /\n\s+at /);
        assert.equal(stdout, "");
        assert.equal(await lockOwner(directory), null);

        const before = await examine(directory);
        assert.deepEqual(before.damaged, []);
        const resumed = await ftle("resume", directory, "--no-plot", "--json");
        assert.equal(resumed.code, 0);
        assert.equal(JSON.parse(resumed.stdout).tasksRun, TASKS - before.tasks.size);
        const after = await examine(directory);
        assert.deepEqual(after.damaged, []);
        assert.equal(after.tasks.size, TASKS);
      });
    });
  }

  for (const [what, spec] of Object.entries({ training: LONG_TRAINING, batch: LONG_BATCH })) {
    test(`interrupt: SIGINT stops a thread in the middle of a long ${what} within 3 s`, async (t) => {
      await inFolder(async (folder) => {
        const { run, directory } = await started(folder, spec);
        const start = performance.now();
        run.kill("SIGINT");
        const { code } = await run.ended;
        const elapsed = performance.now() - start;
        t.diagnostic(`stopped after ${elapsed.toFixed(0)} ms`);
        assert.equal(code, 130);
        assert.ok(elapsed < STOP_WITHIN_MS, `stopped after ${elapsed} ms`);
        assert.equal((await examine(directory)).tasks.size, 1);
      });
    });
  }

  test("interrupt: a second signal ends the program at once, and leaves a store that can be resumed", async () => {
    await inFolder(async (folder) => {
      const { run, directory } = await started(folder, LONG_BATCH);
      run.kill("SIGINT");
      run.kill("SIGTERM"); // another one: two equal ones at a time are one to the kernel
      const { code, stderr } = await run.ended;
      assert.equal(code, 130);
      // An orderly end would have said so.
      assert.doesNotMatch(stderr, /interrupted/);
      const { damaged, tasks } = await examine(directory);
      assert.deepEqual({ damaged, stored: tasks.size }, { damaged: [], stored: 1 });
    });
  });

  test("interrupt: is heard while a store is checked", async () => {
    await inFolder(async (directory) => {
      const parsed = parseSweep(MANY_TASKS, { file: "spec.yaml" });
      assert.ok("sweep" in parsed);
      const plan = planSweep(parsed.sweep, "test.1");
      for (const { id } of plan.cells)
        await mkdir(join(directory, cellFolder(id)), { recursive: true });
      const interrupted = new Error("interrupted");
      const controller = new AbortController();
      setImmediate(() => controller.abort(interrupted));
      const { signal } = controller;
      await assert.rejects(scanStore(plan, { directory, thorough: true, signal }), interrupted);
    });
  });
});
