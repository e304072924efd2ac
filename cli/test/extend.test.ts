import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CELLS } from "../../coordinator/store/layout.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { inFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";
import { contents, filesIn } from "./support/stored.ts";

/** Four trainings and four tiles of each. */
const SPEC = `
name: first
axes: {width: [4, 6], depth: [2, 3]}
data: {name: circle, samples: 200}
training: {epochs: 2, batch: 20}
field: {points: 32, tile: 16}
`;

/** Gives `body` a finished sweep, and a way to write a spec that differs from its own. */
async function withFinished(
  body: (directory: string, changed: (...changes: Change[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const directory = join(folder, "out");
    let specs = 0;
    const changed = async (...changes: Change[]) => {
      const file = join(folder, `spec-${specs++}.yaml`);
      const text = changes.reduce((before, [from, to]) => {
        assert.ok(before.includes(from));
        return before.replace(from, to);
      }, SPEC);
      await writeFile(file, text);
      return file;
    };
    assert.equal((await runHere(await changed(), directory)).tasksRun, 20);
    await body(directory, changed);
  });
}
type Change = readonly [from: string, to: string];

/** What is to be run, as `ftle plan --against` predicts it. */
async function foretold(spec: string, directory: string) {
  const { code, stdout } = await ftle("plan", spec, "--against", directory, "--json");
  assert.equal(code, 0);
  const { toRun, newCells } = JSON.parse(stdout);
  return { trainings: toRun.trainings, tiles: toRun.tiles, newCells: newCells.length };
}

/** Content and time of change of every file below `cells/`. */
async function cellFiles(directory: string): Promise<Map<string, string>> {
  const digests = await contents(directory);
  const files = new Map<string, string>();
  for (const path of await filesIn(directory)) {
    if (!path.startsWith(`${CELLS}/`)) continue;
    const { mtimeMs, ino } = await stat(join(directory, path));
    files.set(path, `${digests[path]} ${mtimeMs} ${ino}`);
  }
  return files;
}

describe("extend", { concurrency: 2 }, () => {
  test("extend: a further width runs only its own cells, and plan says so beforehand", async () => {
    await withFinished(async (directory, changed) => {
      const before = await cellFiles(directory);
      const wider = await changed(["[4, 6]", "[4, 6, 8]"]);
      const fresh = { trainings: 2, tiles: 8, newCells: 2 };
      assert.deepEqual(await foretold(wider, directory), fresh);
      const { tasksRun, totals } = await runHere(wider, directory);
      assert.equal(tasksRun, 10);
      assert.deepEqual(totals.tiles, { stored: 24, expected: 24 });
      const after = await cellFiles(directory);
      for (const [path, file] of before) assert.equal(after.get(path), file, path);
    });
  });

  test("extend: another name, comments and tile size run nothing and touch no file of a cell", async () => {
    await withFinished(async (directory, changed) => {
      const before = await cellFiles(directory);
      const renamed = await changed(
        ["name: first", "# the same\nname: second"],
        ["tile: 16", "tile: 32"],
      );
      const nothing = { trainings: 0, tiles: 0, newCells: 0 };
      assert.deepEqual(await foretold(renamed, directory), nothing);
      assert.equal((await runHere(renamed, directory)).tasksRun, 0);
      assert.deepEqual(await cellFiles(directory), before);
    });
  });

  for (const layers of ["last", "all"]) {
    test(`extend: a field of one tile has the statistics of one of many, layers ${layers}`, async () => {
      await withFinished(async (directory, changed) => {
        const field = `points: 32, layers: ${layers}`;
        const summaries = new Set<string | undefined>();
        for (const tile of [16, 32]) {
          const out = `${directory}-${tile}`;
          await runHere(await changed(["points: 32, tile: 16", `${field}, tile: ${tile}`]), out);
          summaries.add((await contents(out))["summary.csv"]); // its digest, times apart
        }
        assert.equal(summaries.size, 1);
        assert.ok(!summaries.has(undefined));
      });
    });
  }

  test("extend: a second region trains nothing, computes its fields and keeps those of the first", async () => {
    await withFinished(async (directory, changed) => {
      const before = await contents(directory);
      const region = "region: {x: [-1, 1], y: [0, 2]}";
      const second = await changed(["points: 32", `${region}, points: 48`]);
      assert.deepEqual(await foretold(second, directory), {
        trainings: 0,
        tiles: 4 * 9,
        newCells: 0,
      });
      assert.equal((await runHere(second, directory)).tasksRun, 4 * 9);
      const after = await contents(directory);
      const isOfField = (path: string) => path.includes(".zarr/") || path.endsWith(".safetensors");
      for (const path of Object.keys(before).filter(isOfField)) {
        assert.equal(after[path], before[path], path);
      }
      for await (const { fields } of readRecords(directory)) assert.equal(fields.length, 2);
      assert.equal((await runHere(await changed(), directory)).tasksRun, 0);
      assert.deepEqual(await contents(directory), { ...after, ...ofSweep(before) });
    });
  });

  test("extend: why names the first field of the physics in which a cell differs", async () => {
    await withFinished(async (directory, changed) => {
      const changes: [path: string, ...Change][] = [
        ["training.epochs", "epochs: 2", "epochs: 3"],
        ["initialisation.thresholdVariance", "data:", "network: {thresholdVariance: 0.1}\ndata:"],
        ["network.activation", "data:", "network: {activation: sigmoid}\ndata:"],
      ];
      const cell = [directory, "width=4,depth=2"];
      const asked = changes.map(async ([path, ...change]) => {
        const { code, stdout } = await ftle("why", ...cell, "--spec", await changed(change));
        assert.equal(code, 0);
        const [, first] = /must be computed: .* has (\S+) .*, this one/.exec(stdout) ?? [];
        assert.equal(first, path);
      });
      await Promise.all(asked);
      assert.match((await ftle("why", ...cell)).stdout, /is stored/);
    });
  });
});

/** The files at the top, which follow the spec that was run last. */
function ofSweep(digests: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(digests).filter(([path]) => !path.includes("/")));
}
