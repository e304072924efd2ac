/** Sweeps over data sets from files: identity by content, resumption without the files, workers that never had them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";
import { parquetWriteBuffer } from "hyparquet-writer";
import { DATA } from "../../coordinator/store/layout.ts";
import { digestOf } from "../../shared/identity.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { contents, examine, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

const CLASSES = ["ant", "bee", "cat", "dog"];
const SAMPLES = 400;

/** Points about four corners of a cube, which are easily told apart. */
const POINTS = Array.from({ length: SAMPLES }, (_, i) => {
  const k = i % 4;
  const noise = (j: number) => Math.fround(Math.sin(12.9898 * (3 * i + j)) * 0.5);
  return { at: [0, 1, 2].map((j) => Math.fround((j === k ? 2 : 0) + noise(j))), k };
});

const csvOf = (points: typeof POINTS) =>
  `a,b,c,kind\n${points.map(({ at, k }) => `${at.join()},${CLASSES[k]}`).join("\n")}\n`;

const spec = (data: string, more = "") => `
name: points
axes: {width: [4, 6], depth: [1, 2], seed: {count: 5}}
data: {name: file, ${data}}
training: {loss: softmax-cross-entropy, epochs: 8, optimizer: adam, learningRate: 0.02, batch: 20}
${more}`;
const FROM_CSV = spec("path: points.csv, inputs: [a, b, c], target: kind");
const CELLS = 2 * 2 * 5;

/** A sweep over the CSV, which has run. */
async function withSweep(
  body: (use: { folder: string; file: string; csv: string; directory: string }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const [file, csv] = [join(folder, "points.yaml"), join(folder, "points.csv")];
    const directory = join(folder, "out");
    await writeFile(csv, csvOf(POINTS));
    await writeFile(file, FROM_CSV);
    assert.equal((await ftle("run", file, "--out", directory, "--quiet")).code, 0);
    await body({ folder, file, csv, directory });
  });
}

const cellsOf = async (directory: string) => (await readdir(join(directory, "cells"))).sort();

test("data files: a CSV's sweep is killed, and resumed to the same bytes without the file", async () => {
  await inFolder(async (folder) => {
    const [file, csv] = [join(folder, "points.yaml"), join(folder, "points.csv")];
    const [directory, whole] = [join(folder, "out"), join(folder, "whole")];
    await writeFile(csv, csvOf(POINTS));
    await writeFile(file, FROM_CSV);
    assert.equal((await ftle("run", file, "--out", whole, "--quiet")).code, 0);
    const killed = spawnFtle("run", file, "--out", directory, "--threads", "1");
    await until("a result is stored", async () => (await journalled(directory)).length > 0);
    killed.kill("SIGKILL");
    await killed.ended;
    await rm(csv);
    const resumed = await ftle("resume", directory, "--json", "--quiet");
    assert.equal(JSON.parse(resumed.stdout).totals.cells.trained, CELLS);
    assert.deepEqual(await contents(directory), await contents(whole));
    const rows = (await readFile(join(directory, "summary.csv"), "utf8")).trim().split("\n");
    const accuracy = rows[0]!.split(",").indexOf("testAccuracy");
    for (const row of rows.slice(1)) assert.ok(Number(row.split(",")[accuracy]) > 0.6, row);
    assert.equal((await ftle("verify", directory, "--sample", "0.2")).code, 0);
  });
});

test("data files: without file and copy, a killed sweep goes on with what its coordinator left at the broker", async () => {
  await inFolder(async (folder) => {
    const [file, csv] = [join(folder, "points.yaml"), join(folder, "points.csv")];
    const [directory, whole] = [join(folder, "out"), join(folder, "whole")];
    await writeFile(csv, csvOf(POINTS));
    await writeFile(file, FROM_CSV);
    assert.equal((await ftle("run", file, "--out", whole, "--quiet")).code, 0);
    const server = await startNatsServer();
    const worker = spawnFtle("worker", "--nats", server.url, "--threads", "1");
    try {
      const killed = spawnFtle("run", file, "--out", directory, "--nats", server.url);
      await until("a result is stored", async () => (await journalled(directory)).length > 0);
      killed.kill("SIGKILL");
      await killed.ended;
      await rm(csv);
      await rm(join(directory, DATA), { recursive: true });
      const alone = await ftle("resume", directory, "--quiet");
      assert.equal(alone.code, 2);
      assert.match(alone.stderr, /expected the files of data set file at \S+points\.csv/);
      const resumed = await ftle("resume", directory, "--nats", server.url, "--json", "--quiet");
      assert.equal(resumed.code, 0, resumed.stderr);
      assert.deepEqual(await contents(directory), await contents(whole));
    } finally {
      worker.kill("SIGTERM");
      await worker.ended;
      await server.stop();
    }
  });
});

test("data files: a moved file recomputes nothing; a changed value makes other cells, and why names the data set", async () => {
  await withSweep(async ({ folder, file, csv, directory }) => {
    const before = await cellsOf(directory);
    await mkdir(join(folder, "elsewhere"));
    await rename(csv, join(folder, "elsewhere", "points.csv"));
    const lost = await ftle("run", file, "--out", directory);
    assert.equal(lost.code, 2);
    assert.match(
      lost.stderr,
      /expected the files of data set file at \S+points\.csv, .*--data DIR/,
    );
    const moved = ["--data", join(folder, "elsewhere"), "--json", "--quiet"];
    const again = await ftle("run", file, "--out", directory, ...moved);
    assert.equal(JSON.parse(again.stdout).tasksRun, 0);
    assert.deepEqual(await cellsOf(directory), before);

    await writeFile(csv, csvOf([{ ...POINTS[0]!, at: [9, 9, 9] }, ...POINTS.slice(1)]));
    const plan = JSON.parse((await ftle("plan", file, "--against", directory, "--json")).stdout);
    assert.equal(plan.toRun.trainings, CELLS);
    const cell = "width=4,depth=1,seed=0";
    const why = await ftle("why", directory, cell, "--spec", file);
    assert.match(why.stdout, /the data set is another one than that of the nearest stored cell/);
  });
});

test("data files: the same numbers in an NPZ, an NPY and a Parquet file are the same data set", async () => {
  await inFolder(async (folder) => {
    const inputs = Float32Array.from(POINTS.flatMap(({ at }) => at));
    const labels = Float32Array.from(POINTS, ({ k }) => k);
    const npz = zipSync({ "x.npy": npy(inputs, [SAMPLES, 3]), "y.npy": npy(labels, [SAMPLES]) });
    const table = Float32Array.from(POINTS.flatMap(({ at, k }) => [...at, k]));
    const columnData = [
      ...["a", "b", "c"].map((name, j) => {
        return { name, data: POINTS.map(({ at }) => at[j]!), type: "DOUBLE" as const };
      }),
      { name: "kind", data: POINTS.map(({ k }) => CLASSES[k]!), type: "STRING" as const },
    ];
    const files: [string, Uint8Array | string, string][] = [
      ["p.csv", csvOf(POINTS), "path: p.csv, target: kind"],
      ["p.npz", npz, "path: p.npz, inputs: x, target: y"],
      ["p.npy", npy(table, [SAMPLES, 4]), "path: p.npy, inputs: [0, 1, 2], target: 3"],
      [
        "p.parquet",
        new Uint8Array(parquetWriteBuffer({ columnData })),
        "path: p.parquet, target: kind",
      ],
    ];
    const plans = [];
    for (const [name, content, data] of files) {
      await writeFile(join(folder, name), content);
      await writeFile(join(folder, `${name}.yaml`), spec(data));
      const planned = await ftle(
        "plan",
        join(folder, `${name}.yaml`),
        "--against",
        folder,
        "--json",
      );
      assert.match(planned.stderr, /no sweep\.json/);
      const { stdout, stderr } = await ftle("plan", join(folder, `${name}.yaml`), "--json");
      assert.equal(stderr, "");
      plans.push(JSON.parse(stdout).newCells);
    }
    assert.equal(plans[0].length, CELLS);
    for (const plan of plans) assert.deepEqual(plan, plans[0]);
  });
});

test("data files: values are learned by squared error through a linear output, and have no accuracy", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "values.yaml");
    const directory = join(folder, "out");
    await writeFile(
      join(folder, "plane.csv"),
      `x,y,z\n${POINTS.map(({ at: [x, y] }) => `${x},${y},${3 * x! - 2 * y!}`).join("\n")}\n`,
    );
    await writeFile(
      file,
      `
axes: {width: 10, depth: 1}
data: {name: file, path: plane.csv, target: z, targets: values}
training: {epochs: 60, optimizer: adam, learningRate: 0.02, batch: 20}
field: {points: 8}
`,
    );
    const ran = await ftle("run", file, "--out", directory, "--quiet");
    assert.equal(ran.code, 0, ran.stderr);
    const [head, row] = (await readFile(join(directory, "summary.csv"), "utf8")).split("\n");
    const columns = head!.split(",");
    const value = (name: string) => row!.split(",")[columns.indexOf(name)]!;
    assert.deepEqual([value("trainAccuracy"), value("testAccuracy")], ["", ""]);
    assert.ok(Number(value("testLoss")) < 0.2, value("testLoss")); // the targets' variance is about 10
    assert.equal((await ftle("plot", directory)).code, 0);
    const stopped = await readFile(file, "utf8");
    await writeFile(file, stopped.replace("batch: 20", "batch: 20, stopAtAccuracy: 0.9"));
    assert.match(
      (await ftle("plan", file)).stderr,
      /no accuracy to stop at, as the targets are values/,
    );
  });
});

test("data files: every fault of a file is named with its line, and nothing is started", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "points.yaml");
    const csv = join(folder, "points.csv");
    await writeFile(file, FROM_CSV);
    const cases: [text: string, ...faults: RegExp[]][] = [
      [
        "a,b,c,kind\n1,2,3,x\n1,2,y\n4,5,6,7,8\n",
        /line 3: expected 4 values, .* found 3/,
        /line 4: .* found 5/,
      ],
      [
        "a,b,c,kind\n1,,3,x\n1,2,NaN,y\n",
        /line 2, column b: expected a finite number, found nothing/,
        /line 3, column c: .* found `NaN`/,
      ],
      [
        "a,b,c,type\n1,2,3,x\n1,2,3,y\n",
        /expected a column among `a`, `b`, `c`, `type`, found `kind`/,
      ],
      ["a,b,c,kind\n1,2,3,x\n4,5,6,x\n", /column kind: expected from 2 to 1000 classes, found 1/],
      [
        "a,b,c,kind\n1,2,3,x\n4,5,6,\n",
        /line 3, column kind: expected the name of a class, found nothing/,
      ],
      ["", /expected a line of names, found nothing/],
    ];
    for (const [text, ...faults] of cases) {
      await writeFile(csv, text);
      const { code, stderr } = await ftle("run", file, "--out", join(folder, "out"));
      assert.equal(code, 2);
      for (const fault of faults) assert.match(stderr, fault);
      assert.ok(!/^\s+at /m.test(stderr), "no stack trace");
      assert.ok(!existsSync(join(folder, "out")));
    }
    const truncated = npy(new Float32Array(8), [2, 4]).subarray(0, -3);
    await writeFile(join(folder, "p.npy"), truncated);
    await writeFile(file, spec("path: p.npy, target: 3"));
    assert.match(
      (await ftle("plan", file)).stderr,
      /expected 160 bytes for shape \(2, 4\), found 157/,
    );
  });
});

test("data files: a damaged copy is found, and restored while the file is there", async () => {
  await withSweep(async ({ folder, csv, directory }) => {
    const [name] = await readdir(join(directory, DATA));
    const copy = join(directory, DATA, name!);
    const bytes = await readFile(copy);
    bytes[bytes.length - 5]! ^= 4;
    await writeFile(copy, bytes);
    assert.deepEqual((await examine(directory)).damaged, [`${DATA}/${name}`]);
    assert.equal((await ftle("resume", directory, "--data", folder)).code, 0);
    assert.deepEqual((await examine(directory)).damaged, []);
    // Without the file, and with something to train, the sweep cannot go on.
    await writeFile(copy, bytes);
    await rm(csv);
    const [cell] = await cellsOf(directory);
    await rm(join(directory, "cells", cell!, "cell.json"));
    const stuck = await ftle("resume", directory);
    assert.equal(stuck.code, 2);
    assert.match(stuck.stderr, /expected the files of data set file at .*--data DIR/);
  });
});

const MNIST = fileURLToPath(repositoryFile("../shared/data/mnist"));

test("data files: MNIST is learned by two workers that never had its files, to the bytes of one machine", {
  skip: existsSync(MNIST) ? false : "no MNIST beside the project",
}, async () => {
  await inFolder(async (folder) => {
    const server = await startNatsServer();
    const cache = join(folder, "cache");
    const worker = (name: string) =>
      spawnFtle(
        ...["worker", "--nats", server.url, "--threads", "1"],
        ...["--name", name, "--cache", cache],
      );
    const workers = [worker("a"), worker("b")];
    try {
      const file = join(folder, "mnist.yaml");
      await writeFile(
        file,
        `
axes: {width: 10, depth: 2, seed: {count: 4}}
data: {name: mnist, path: ${MNIST}, classes: [1, 7, 4], trainSamples: 3000, testSamples: 500}
training: {loss: softmax-cross-entropy, epochs: 2, optimizer: adam, learningRate: 0.003, batch: 50}
`,
      );
      const [here, there] = [join(folder, "here"), join(folder, "there")];
      const alone = await ftle("run", file, "--out", here, "--quiet");
      assert.equal(alone.code, 0, alone.stderr);
      const ran = await ftle("run", file, "--out", there, "--nats", server.url, "--quiet");
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(await contents(there), await contents(here));
      const rows = (await readFile(join(there, "summary.csv"), "utf8")).trim().split("\n");
      const accuracy = rows[0]!.split(",").indexOf("testAccuracy");
      for (const row of rows.slice(1)) assert.ok(Number(row.split(",")[accuracy]) > 0.9, row);
      const [copy] = await readdir(join(there, DATA));
      const digest = digestOf(await readFile(join(there, DATA, copy!)));
      assert.deepEqual(await readdir(cache), [`${digest.replace(":", "-")}.safetensors`]);
    } finally {
      for (const { kill } of workers) kill("SIGTERM");
      await Promise.all(workers.map(({ ended }) => ended));
      await server.stop();
    }
  });
});

/** An array of float32 as NumPy saves it. */
function npy(values: Float32Array, shape: readonly number[]): Uint8Array {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const header = `${text.padEnd(117)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}`, "latin1");
  return Buffer.concat([head, Buffer.from(values.buffer)]);
}
