import assert from "node:assert/strict";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writeCellRecord } from "../../coordinator/store/cell-record.ts";
import { cellJson, FIGURES, JOURNAL, SWEEP_JSON } from "../../coordinator/store/layout.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import { fewOrAll, longTest } from "../../shared/testing/long.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { makeFolder, removeFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine, filesIn } from "./support/stored.ts";

/** Two networks, two snapshots, two by two tiles, two analyses. */
const SPEC = `
name: damaged
axes: {width: [4, 6], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 2, batch: 10, snapshots: [0, end]}
field: {points: 32, tile: 16}
analyses: [weights, ridges]
`;
/** Of one network. */
const ANALYSES = 2 * 2;

const random = randomStream([5, 8], "data", 0);

const DAMAGES = {
  truncated: (bytes: Buffer) => bytes.subarray(0, -1),
  emptied: () => Buffer.alloc(0),
  flipped(bytes: Buffer) {
    const flipped = Buffer.from(bytes);
    flipped[random.below(bytes.length)]! ^= 1 + random.below(255);
    return flipped;
  },
};

describe("damage", { concurrency: 2 }, () => {
  let folder: string;
  let whole: string;
  let paths: string[];
  let stderr = "";
  const write = process.stderr.write;

  before(async () => {
    folder = await makeFolder();
    whole = join(folder, "whole");
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    assert.equal((await runHere(spec, whole)).tasksRun, 2 * (1 + 2 * 4 + ANALYSES));
    paths = (await filesIn(whole)).filter((path) => path !== JOURNAL && !path.startsWith(FIGURES));
    process.stderr.write = (text) => {
      stderr += text;
      return true;
    };
  });
  after(async () => {
    process.stderr.write = write;
    await removeFolder(folder);
  });

  async function copy(name: string): Promise<string> {
    const directory = join(folder, name);
    await cp(whole, directory, { recursive: true, verbatimSymlinks: true });
    return directory;
  }

  test("damage: verify finds exactly the file that is damaged, whichever it is", async (t) => {
    const directory = await copy("verified");
    const { truncated, emptied, flipped } = DAMAGES;
    let damages = 0;
    for (const path of paths) {
      const file = join(directory, path);
      const bytes = await readFile(file);
      const some = isOfAnalysis(path) ? fewOrAll(1, 5) : 5;
      for (const damage of [flipped, truncated, emptied, flipped, flipped].slice(0, some)) {
        await writeFile(file, damage(bytes));
        assert.deepEqual((await examine(directory)).damaged, [path], damage.name);
        damages++;
      }
      await writeFile(file, bytes);
    }
    assert.deepEqual((await examine(directory)).damaged, []);
    t.diagnostic(`${damages} damages to ${paths.length} files`);
  });

  test("damage: verify names the file and exits with 1", async () => {
    const directory = await copy("named");
    const path = paths.find((other) => other.endsWith("lambda1/c.1.0"))!;
    await writeFile(join(directory, path), "");
    const { code, stdout } = await ftle("verify", directory);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^damaged +${path}$`, "m"));
  });

  test("damage: without sweep.json, the engine is still the one that computed the cells", async () => {
    const directory = await copy("engine");
    await writeFile(join(directory, SWEEP_JSON), "");
    for await (const record of readRecords(directory)) {
      const physics = { ...record.physics, engine: "other.1" };
      const file = join(directory, cellJson(record.cell));
      await writeFile(file, writeCellRecord({ ...record, physics }));
    }
    await assert.rejects(loadStored(directory), /computed with engine other\.1/);
  });

  test("damage: a field whose metadata a kill cut short, before the first chunk, is not damaged", async () => {
    const directory = await copy("cut");
    const expected = await contents(directory);
    const field = paths
      .find((path) => path.endsWith(".zarr/zarr.json"))!
      .slice(0, -"/zarr.json".length);
    for (const path of paths.filter((other) => other.startsWith(field))) {
      if (isOfTask(path) || path.includes("/y/")) await rm(join(directory, path));
    }
    assert.deepEqual((await examine(directory)).damaged, []);
    assert.equal((await resumeHere(directory)).tasksRun, 4);
    assertSameContents(await contents(directory), expected);
  });

  for (const [name, damage] of Object.entries(DAMAGES)) {
    const run = name === "flipped" ? test : longTest;
    run(`damage: of a file that is ${name}, resume restores exactly what it held`, async (t) => {
      const directory = await copy(name);
      const expected = await contents(directory);
      const rounds = independent(paths);
      for (const round of rounds) {
        for (const path of round) {
          const file = join(directory, path);
          await writeFile(file, damage(await readFile(file)));
        }
        const { damaged, tasksRun } = await resumeHere(directory);
        assert.deepEqual([...damaged].sort(), [...round].sort());
        assert.ok(stderr.includes(`found ${round.length} damaged file`));
        assert.ok(stderr.includes(`  ${damaged[0]}\n`));
        assert.equal(tasksRun, tasksIn(round));
        await rm(join(directory, "sweep.yaml.edited"), { force: true }); // a flip may make another spec
        assertSameContents(await contents(directory), expected);
      }
      t.diagnostic(`${paths.length} files in ${rounds.length} rounds`);
    });
  }
});

/** Whether what a file holds is the work of a task; else it follows from other files. */
function isOfTask(path: string): boolean {
  return isOfTraining(path) || isOfAnalysis(path) || /\/c\.\d+\.\d+$/.test(path);
}

function isOfTraining(path: string): boolean {
  return /cell\.json$|\.safetensors$/.test(path);
}

function isOfAnalysis(path: string): boolean {
  return /\/(weights|ridges)-\w+-[0-9a-f]{8}\.zarr\//.test(path);
}

/** Tasks that it takes to restore files. With a training go the columns of its analyses, which its record holds. */
function tasksIn(paths: readonly string[]): number {
  const trainings = paths.filter(isOfTraining).length;
  return paths.filter(isOfTask).length + trainings * ANALYSES;
}

/** Parts files into rounds in which each file's loss costs a task of its own, or none. */
function independent(paths: readonly string[]): string[][] {
  const rounds: string[][] = [];
  for (const path of paths) {
    const free = rounds.find((round) => !round.some((other) => isTied(path, other)));
    if (free === undefined) rounds.push([path]);
    else free.push(path);
  }
  return rounds;
}

function isTied(a: string, b: string): boolean {
  const [part, other] = [partOf(a), partOf(b)];
  return `${part}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${part}/`);
}

/** Which part of the sweep a file describes; a part's path begins with the path of the whole. */
function partOf(path: string): string {
  const [cells, cell, field, array, file] = path.split("/");
  if (cells === "grids") return "cells"; // looked at where a field is
  if (cells !== "cells") return path.split(".")[0]!;
  if (array === undefined) return `cells/${cell}`;
  if (isOfAnalysis(path)) return `cells/${cell}/${field}`; // one task
  if (file === undefined) return `cells/${cell}/${field}/metadata`;
  const isTile = /\.\d+\.\d+$/.test(file);
  return `cells/${cell}/${field}/${isTile ? file : `metadata/${array}/${file}`}`;
}
