/** Analyses of sweeps: each is computed once, wherever it is computed, and follows from what it reads. */
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import { writeCellRecord } from "../../coordinator/store/cell-record.ts";
import { cellJson } from "../../coordinator/store/layout.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { inFolder } from "./support/folder.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { runWithFailures } from "./support/run-with-failures.ts";
import { contents, examine, journalled } from "./support/stored.ts";

const SPEC = `
name: analysed
axes: {width: [4, 6], depth: 2, seed: {count: 2}} # comments stay
data: {name: rings, samples: 100}
training: {loss: softmax-cross-entropy, epochs: 2, batch: 10}
field: {points: 32, tile: 16, layers: all}
`;
const EVERY =
  "analyses: [exponents, {exponents: {at: train, count: 1}}, weights, layers, ridges, ensemble, {margin: {samples: 9}}]\n";
/** With the predictions that the ensemble reads. */
const ANALYSES = 8;

/** What `summary.csv` says in a column, from the first row on. */
async function column(directory: string, name: string): Promise<string[]> {
  const rows = (await readFile(join(directory, "summary.csv"), "utf8")).trim().split("\n");
  const at = rows[0]!.split(",").indexOf(name);
  assert.notEqual(at, -1, `no column ${name}`);
  return rows.slice(1).map((row) => row.split(",")[at]!);
}

test("analyses: one that is added to a finished sweep of 100 networks is computed once for each, and nothing else", async () => {
  await inFolder(async (folder) => {
    const [file, directory] = [join(folder, "spec.yaml"), join(folder, "out")];
    const spec = SPEC.replace("[4, 6]", "2..6").replace("count: 2", "count: 20");
    await writeFile(file, spec.replace(/field: .*/, "field: none"));
    assert.equal((await runHere(file, directory)).tasksRun, 100);
    const before = (await journalled(directory)).length;
    const analyse = () => ftle("analyse", directory, "exponents", "--set", "at=train", "--json");
    const { code, stdout, stderr } = await analyse();
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).tasksRun, 100);
    const fresh = (await journalled(directory)).slice(before);
    assert.equal(new Set(fresh).size, 100);
    assert.ok(
      fresh.every((task) => task.startsWith("analysis-")),
      fresh.join(),
    );
    assert.match(await readFile(join(directory, "sweep.yaml"), "utf8"), /# comments stay/);
    assert.equal(JSON.parse((await analyse()).stdout).tasksRun, 0);
    assert.equal((await resumeHere(directory)).tasksRun, 0);
    assert.equal((await column(directory, "exponents-at-train.mean")).filter(Number).length, 100);
  });
});

test("analyses: two workers at a broker give the bytes of one process, and verify finds them again", async () => {
  await inFolder(async (folder) => {
    const [file, here, there] = ["spec.yaml", "here", "there"].map((name) => join(folder, name));
    await writeFile(file!, SPEC + EVERY);
    const { tasksRun, totals } = await runHere(file!, here!);
    assert.equal(tasksRun, 4 * (1 + 4 + ANALYSES));
    assert.deepEqual(totals.analyses, { stored: 4 * ANALYSES, expected: 4 * ANALYSES });
    const server = await startNatsServer();
    const cache = join(folder, "cache");
    const workers = ["a", "b"].map((name) =>
      spawnFtle("worker", "--nats", server.url, "--threads", "1", "--name", name, "--cache", cache),
    );
    try {
      const ran = await ftle("run", file!, "--out", there!, "--nats", server.url, "--quiet");
      assert.equal(ran.code, 0, ran.stderr);
    } finally {
      for (const { kill } of workers) kill("SIGTERM");
      await Promise.all(workers.map(({ ended }) => ended));
      await server.stop();
    }
    assert.deepEqual(await contents(there!), await contents(here!));
    const verified = await ftle("verify", here!, "--sample", "100%");
    assert.equal(verified.code, 0, verified.stdout);
    assert.match(verified.stdout, /^4 networks, 16 tiles and 32 analyses are stored and whole\.$/m);
    assert.match(verified.stdout, /^52 results computed again\.$/m);
  });
});

test("analyses: a column that was changed in a sealed record is found by recomputing", async () => {
  await inFolder(async (folder) => {
    const [file, directory] = [join(folder, "spec.yaml"), join(folder, "out")];
    await writeFile(file, `${SPEC}analyses: [weights]\n`);
    await runHere(file, directory);
    let changed = "";
    for await (const record of readRecords(directory)) {
      if (changed !== "") continue;
      const [first] = record.analyses!;
      const columns = { ...first!.columns, norm: 0 };
      await writeFile(
        join(directory, cellJson(record.cell)),
        writeCellRecord({ ...record, analyses: [{ ...first!, columns }] }),
      );
      changed = record.cell;
    }
    const { code, stdout } = await ftle("verify", directory, "--sample", "100%");
    assert.equal(code, 1);
    assert.match(
      stdout,
      new RegExp(`^different +cells/${changed}/cell.json \\(weights of end\\)$`, "m"),
    );
  });
});

test("analyses: of more seeds an ensemble is another one; those of fewer stay as they were", async () => {
  await inFolder(async (folder) => {
    const [file, directory] = [join(folder, "spec.yaml"), join(folder, "out")];
    const spec = `${SPEC.replace(/field: .*/, "field: none")}analyses: [ensemble]\n`;
    await writeFile(file, spec);
    await runHere(file, directory);
    assert.deepEqual(await column(directory, "ensemble.members"), ["2", "2", "2", "2"]);
    await writeFile(file, spec.replace("count: 2", "count: 3"));
    const { tasksRun } = await runHere(file, directory);
    assert.equal(tasksRun, 2 * (1 + 1) + 6); // two trainings with predictions, and an ensemble for each network
    assert.deepEqual(await column(directory, "ensemble.members"), new Array(6).fill("3"));
  });
});

test("analyses: what reads a network that was given up is given up with the reason, and retried with it", async () => {
  await inFolder(async (folder) => {
    const [file, directory] = [join(folder, "spec.yaml"), join(folder, "out")];
    await writeFile(file, `${SPEC}analyses: [ensemble, ridges, weights]\n`);
    await runWithFailures(file, directory); // trainings of width 6 fail, and a tile of each field
    assert.deepEqual((await examine(directory)).damaged, []);
    const { stdout } = await ftle("status", directory);
    assert.match(stdout, /2 trained, 0 diverged, 0 missing, 2 given up/);
    assert.match(stdout, /tiles of the field were given up; run it again together with this one/);
    assert.match(stdout, /analyses +6 of 8 stored/); // without the ridges
    assert.match(stdout, /to run +0 trainings, 0 tiles$/m);
    const retried = await ftle("retry", directory, "--no-plot", "--json");
    assert.equal(retried.code, 0, retried.stderr);
    const { totals } = JSON.parse(retried.stdout);
    assert.equal(totals.deadLetters, 0);
    assert.deepEqual(totals.analyses, { stored: 16, expected: 16 });
    const whole = join(folder, "whole");
    await runHere(file, whole);
    assert.deepEqual(await contents(directory), await contents(whole));
  });
});

test("analyses: of a sweep that lost one the index does not vouch, and resume computes it alone", async () => {
  await inFolder(async (folder) => {
    const [file, directory] = [join(folder, "spec.yaml"), join(folder, "out")];
    await writeFile(file, SPEC + EVERY);
    await runHere(file, directory);
    await resumeHere(directory);
    const expected = await contents(directory);
    const lost = Object.keys(expected).find((path) => /layers-end.*\/mean\/c\.0$/.test(path))!;
    await rm(join(directory, lost));
    const { tasksRun, damaged } = await resumeHere(directory);
    assert.equal(tasksRun, 1);
    assert.deepEqual(damaged, [lost]);
    assert.deepEqual(await contents(directory), expected);
  });
});

const REFUSED: readonly (readonly [spec: string, fault: RegExp])[] = [
  ["analyses: [exponent]", /expected one of `exponents`, .* \(did you mean `exponents`\?\)/],
  [
    "analyses: [{exponents: {at: tset}}]",
    /analyses\[0\]\.exponents\.at: expected one of `train`, `test`/,
  ],
  [
    "analyses: [{exponents: {}, weights: {}}]",
    /analyses\[0\]\.weights: expected `exponents`, found "weights"/,
  ],
  ["analyses: weights", /expected a list of analyses/],
  ["analyses: [weights, weights]", /analyses\[1\]: expected each analysis once/],
  ["field: none\nanalyses: [ridges]", /expected a `field`, which `ridges` reads/],
  ["field: {points: 16}\nanalyses: [layers]", /expected `layers: all` in `field`/],
  [
    "field: {points: 16, region: {x: [0, 1], y: [0, 2]}}\nanalyses: [ridges]",
    /expected a `region` of `field` with equal sides/,
  ],
];

for (const [part, fault] of REFUSED) {
  test(`analyses: ${JSON.stringify(part)} is refused`, async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "spec.yaml");
      await writeFile(file, `${SPEC.replace(/field: .*\n/, "")}${part}\n`);
      await assert.rejects(readSweep(file), fault);
    });
  });
}
