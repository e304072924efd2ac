import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { SWEEP_JSON } from "../../coordinator/store/layout.ts";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import { fewOrAll } from "../../shared/testing/long.ts";
import { inFolder } from "./support/folder.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine, filesIn, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

const SEEDS = fewOrAll(3, 25);
/**
 * Six trainings a seed, nine tiles and five analyses of each, of some milliseconds: no kill comes after the last. Two of
 * the analyses are computed beside the store, one of them when all seeds are there.
 */
const SPEC = `
axes: {width: [12, 16, 20], depth: [2, 3], seed: {count: ${SEEDS}}}
data: {name: circle, samples: 200}
training: {epochs: 2, batch: 20}
field: {points: 48, tile: 16}
analyses: [weights, exponents, ridges, ensemble]
engine: reference
`;
const TASKS = 6 * SEEDS * (1 + 9 + 5);
const KILLS = fewOrAll(4, 20);

test(`kill: a sweep killed at ${KILLS} random moments ends with the bytes of one never killed`, async (t) => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    const untouched = join(folder, "untouched");
    const { tasksRun } = await runHere(spec, untouched);
    assert.equal(tasksRun, TASKS);

    const directory = join(folder, "killed");
    const random = randomStream([20, 9], "data", 0);
    let stored = new Set<string>();
    let cut = 0; // writes that a kill cut short
    for (let kill = 0; kill < KILLS; kill++) {
      const isStarted = existsSync(join(directory, SWEEP_JSON));
      const args = isStarted ? ["resume", directory] : ["run", spec, "--out", directory];
      const lines = await journalled(directory);
      const process = spawnFtle(...args, "--no-plot", "--threads", "1");
      // The first kill comes when there is a lock and nothing else; others before the first result, too.
      const results = kill === 0 ? 0 : random.below(5);
      await until(`${results} new results`, async () => {
        if (results === 0) return (await lockOwner(directory))?.pid === process.pid;
        return (await journalled(directory)).length >= lines.length + results;
      });
      if (kill > 0) await pause(random.below(results === 0 ? 300 : 20));
      process.kill("SIGKILL");
      assert.equal((await process.ended).signal, "SIGKILL");

      const fresh = (await journalled(directory)).slice(lines.length);
      const again = fresh.filter((task) => stored.has(task));
      assert.deepEqual(again, [], "computed though stored");
      if ((await filesIn(directory)).some((path) => path.includes(".ftle-tmp/"))) cut++;
      if (!existsSync(join(directory, SWEEP_JSON))) continue;
      const { damaged, tasks } = await examine(directory);
      assert.deepEqual(damaged, [], `after kill ${kill}`);
      stored = tasks;
    }

    const { code, stdout } = await ftle("resume", directory, "--no-plot", "--json");
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).tasksRun, TASKS - stored.size);
    assertSameContents(await contents(directory), await contents(untouched));

    const lines = await journalled(directory);
    assert.equal(new Set(lines).size, lines.length, "a task was stored twice");
    // A result is stored before its line is written: each kill may cost one line, and never a result.
    assert.ok(lines.length >= TASKS - KILLS, `${lines.length} lines`);
    t.diagnostic(
      `${KILLS} kills, ${cut} of them within a write; ${stored.size} of ${TASKS} results were stored by then, ${TASKS - lines.length} of them without their line in the journal`,
    );
  });
});

const NETWORKS = fewOrAll(90, 1200);
/** Networks with one tile of 16² points each: they come as fast as they can be stored. */
const TINY = `
axes: {width: [2, 3, 4], depth: [1, 2], seed: {count: ${NETWORKS / 6}}}
data: {name: circle, samples: 100}
training: {epochs: 1, batch: 20}
field: {points: 16, tile: 16}
engine: native
`;
const TINY_TASKS = NETWORKS * 2;
const TINY_KILLS = fewOrAll(3, 50);

test(`kill: results stored in bulk survive ${TINY_KILLS} kills at random moments, and none is computed twice`, async (t) => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, TINY);
    const untouched = join(folder, "untouched");
    assert.equal((await runHere(spec, untouched)).tasksRun, TINY_TASKS);

    const directory = join(folder, "killed");
    const random = randomStream([20, 13], "data", 1);
    const fresh: number[] = []; // results of each killed run
    let stored: ReadonlySet<string> = new Set();
    for (let kill = 0; kill < TINY_KILLS; kill++) {
      const args = kill === 0 ? ["run", spec, "--out", directory] : ["resume", directory];
      const before = (await journalled(directory)).length;
      const process = spawnFtle(...args, "--no-plot", "--threads", "2");
      const results = 1 + random.below(15);
      let hasEnded = false;
      const ending = process.ended.finally(() => {
        hasEnded = true;
      });
      await until(`${results} new results`, async () => {
        return hasEnded || (await journalled(directory)).length >= before + results;
      });
      await pause(random.below(20));
      process.kill("SIGKILL");
      if ((await ending).signal !== "SIGKILL") break; // it was faster

      const lines = (await journalled(directory)).slice(before);
      const again = lines.filter((task) => stored.has(task));
      assert.deepEqual(again, [], "computed though stored");
      const { damaged, tasks } = await examine(directory);
      assert.deepEqual(damaged, [], `after kill ${kill}`);
      const lost = [...stored, ...lines].filter((task) => !tasks.has(task));
      assert.deepEqual(lost, [], `lost by kill ${kill}`);
      fresh.push(lines.length);
      stored = tasks;
    }

    assert.ok(fresh.length >= TINY_KILLS / 2, `only ${fresh.length} kills`);

    const { tasks } = await examine(directory);
    const { tasksRun } = await resumeHere(directory);
    assert.equal(tasksRun, TINY_TASKS - tasks.size);
    assertSameContents(await contents(directory), await contents(untouched));
    const lines = await journalled(directory);
    assert.equal(new Set(lines).size, lines.length, "a task was stored twice");
    assert.ok(lines.length >= TINY_TASKS - TINY_KILLS, `${lines.length} lines`);
    t.diagnostic(`results of each killed run: ${fresh.join(", ")}; of all ${TINY_TASKS}`);
  });
});
