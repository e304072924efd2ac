/** Networks that were trained elsewhere: imported, mapped and resumed as others are. */
import assert from "node:assert/strict";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import { readFieldArray } from "../../coordinator/store/field-zarr.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { NetworkShape } from "../../shared/numerics/network.ts";
import { encodeWeights } from "../../shared/safetensors.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { contents, examine } from "./support/stored.ts";

const SHAPE: NetworkShape = {
  inputs: 2,
  hidden: [6, 5],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};

/** A file as this program writes weights, which does not say the activations. */
async function writeNetwork(file: string, seed: number): Promise<void> {
  const scale = { weightVariance: 0.5, thresholdVariance: 0.1 };
  await writeFile(file, encodeWeights(initialWeights(SHAPE, scale, [seed, 1]), {}));
}

const SPEC = `
name: mine
axes: {network.weights: [a.safetensors, b.safetensors]}
network: {activation: tanh, outputActivation: tanh}
data: {name: circle, samples: 100}
field: {points: 24, tile: 16}
analyses: [weights, exponents]
`;

const TASKS = 2 * (1 + 4 + 2);

async function withNetworks(
  body: (use: { folder: string; file: string; directory: string }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    for (const [i, name] of ["a", "b"].entries()) {
      await writeNetwork(join(folder, `${name}.safetensors`), i);
    }
    const file = join(folder, "spec.yaml");
    await writeFile(file, SPEC);
    await body({ folder, file, directory: join(folder, "out") });
  });
}

test("imported: a network has the weights of its file, no epochs, and all that follows from them", async () => {
  await withNetworks(async ({ file, directory }) => {
    const { tasksRun } = await runHere(file, directory);
    assert.equal(tasksRun, TASKS);
    let records = 0;
    for await (const { epochs, status, physics, history } of readRecords(directory)) {
      assert.equal(epochs, 0);
      assert.equal(status, "trained");
      assert.deepEqual(physics.network, SHAPE);
      assert.equal(history.testAccuracy.length, 1);
      records++;
    }
    assert.equal(records, 2);
    const [head, first] = (await readFile(join(directory, "summary.csv"), "utf8")).split("\n");
    const row = Object.fromEntries(head!.split(",").map((name, i) => [name, first!.split(",")[i]]));
    assert.equal(row.weights, "a.safetensors");
    assert.equal(row.hidden, "6-5");
    assert.equal(row.weightVariance, "");
    assert.ok(Number.isFinite(Number(row["exponents.mean"])), row["exponents.mean"]);
  });
});

test("imported: the store alone is resumed, on this machine and by workers that never had the files", async () => {
  await withNetworks(async ({ folder, file, directory }) => {
    await runHere(file, directory);
    const expected = await contents(directory);
    for (const name of ["a", "b"]) await rm(join(folder, `${name}.safetensors`));
    const cells = Object.keys(expected).filter((path) => path.startsWith("cells/"));
    for (const path of cells) await rm(join(directory, path), { force: true });
    const server = await startNatsServer();
    const cache = join(folder, "cache");
    const worker = spawnFtle("worker", "--nats", server.url, "--threads", "1", "--cache", cache);
    try {
      const ran = await ftle("resume", directory, "--nats", server.url, "--no-plot", "--quiet");
      assert.equal(ran.code, 0, ran.stderr);
    } finally {
      worker.kill("SIGTERM");
      await worker.ended;
      await server.stop();
    }
    assert.deepEqual(await contents(directory), expected);
    const { stderr, code } = await ftle("run", file, "--out", directory);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /expected a network at .*a\.safetensors, found nothing there; say where it is/,
    );
  });
});

test("imported: files that have moved compute nothing, and a changed one is another network, which why names", async () => {
  await withNetworks(async ({ folder, file, directory }) => {
    assert.equal((await runHere(file, directory)).tasksRun, TASKS);
    const elsewhere = await ftle("plan", file, "--against", directory, "--json");
    assert.deepEqual(JSON.parse(elsewhere.stdout).newCells, []);
    await writeNetwork(join(folder, "b.safetensors"), 7);
    const planned = await ftle("plan", file, "--against", directory, "--json");
    const { newCells } = JSON.parse(planned.stdout);
    assert.equal(newCells.length, 1);
    const why = await ftle("why", directory, newCells[0], "--spec", file);
    assert.match(why.stdout, /must be computed: .* has initialisation\.weights "sha256:/);
  });
});

test("imported: with epochs, a training goes on from the weights of the file", async () => {
  await withNetworks(async ({ file, directory }) => {
    await writeFile(file, `${SPEC}training: {epochs: 2, batch: 10, snapshots: [0, end]}\n`);
    await runHere(file, directory);
    for await (const { epochs, weights } of readRecords(directory)) {
      assert.equal(epochs, 2);
      assert.notEqual(weights[0]!.digest, weights[1]!.digest);
    }
    assert.deepEqual((await examine(directory)).damaged, []);
    const { code } = await ftle("verify", directory, "--sample", "100%");
    assert.equal(code, 0);
  });
});

test("imported: safetensors and ONNX of one model give the same bytes, over a plane of its four inputs", async () => {
  await inFolder(async (folder) => {
    const fixture = (name: string) =>
      fileURLToPath(repositoryFile(`coordinator/test/fixtures/${name}`));
    await copyFile(fixture("pytorch.safetensors"), join(folder, "a.safetensors"));
    await copyFile(fixture("pytorch-dynamo.onnx"), join(folder, "a.onnx"));
    const { inputs, outputs } = JSON.parse(await readFile(fixture("pytorch.json"), "utf8"));
    const [x, y] = inputs;
    const spec = (file: string) => `
name: mine
axes: {network.weights: [${file}]}
network: {activation: relu, outputActivation: linear}
field:
  points: 1
  plane: {axes: [0, 1], at: [${inputs.slice(0, 4)}]}
  region: {x: [${x - 1}, ${x + 1}], y: [${y - 1}, ${y + 1}]}
`;
    const results = [];
    for (const name of ["a.safetensors", "a.onnx"]) {
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, spec(name));
      const directory = join(folder, `${name}.out`);
      await runHere(file, directory);
      const cells = Object.entries(await contents(directory)).filter(([path]) =>
        path.startsWith("cells/"),
      );
      results.push(Object.fromEntries(cells));
      const field = cells
        .find(([path]) => path.endsWith(".zarr/zarr.json"))![0]
        .replace("/zarr.json", "");
      // Of two outputs the difference is what is decided; in float32 after float64.
      const [decided] = await readFieldArray(join(directory, field), "output");
      const expected = outputs[1] - outputs[0];
      assert.ok(Math.abs(decided! - expected) < 1e-6, `${decided} for PyTorch's ${expected}`);
    }
    assert.deepEqual(results[0], results[1]);
  });
});

test("imported: ftle import maps a file in one line, and what cannot be is refused with all reasons", async () => {
  await withNetworks(async ({ folder, directory }) => {
    const file = join(folder, "a.safetensors");
    const said = ["--activation", "tanh", "--output-activation", "tanh"];
    const options = ["--out", directory, "--points", "16", "--region", "-2,2,-2,2", "--no-plot"];
    const imported = await ftle("import", file, ...said, ...options, "--json");
    assert.equal(imported.code, 0, imported.stderr);
    assert.equal(JSON.parse(imported.stdout).tasksRun, 2);
    assert.equal((await resumeHere(directory)).tasksRun, 0);
    const again = await ftle("run", join(directory, "sweep.yaml"), "--out", directory, "--json");
    assert.equal(JSON.parse(again.stdout).tasksRun, 0);

    const silent = await ftle("import", file, ...options);
    assert.equal(silent.code, 2);
    assert.match(
      silent.stderr,
      /expected the activation of the hidden layers, which the file does not say/,
    );
    assert.match(silent.stderr, /expected the activation of the output layer/);
    const none = await ftle("import", join(folder, "none.onnx"), ...options);
    assert.match(none.stderr, /expected a network at .*none\.onnx, found nothing there/);
    const region = await ftle("import", file, ...said, "--region", "1,0,0,1");
    assert.match(region.stderr, /expected four numbers x0,x1,y0,y1/);
    const samples = await ftle("analyse", directory, "exponents");
    assert.equal(samples.code, 2);
    assert.match(samples.stderr, /expected a data set, whose samples `exponents` reads/);
  });
});

test("imported: weights that are too large for the engine are given up with the reason", async () => {
  await withNetworks(async ({ folder, file, directory }) => {
    const scale = { weightVariance: 1e200, thresholdVariance: 0 };
    const bytes = encodeWeights(initialWeights(SHAPE, scale, [1, 1]), {});
    await writeFile(join(folder, "a.safetensors"), bytes);
    const run = (engine: string) =>
      ftle("run", file, "--out", `${directory}-${engine}`, "--engine", engine, "--no-plot");
    assert.equal((await run("native")).code, 3);
    const { stdout } = await ftle("status", `${directory}-native`);
    assert.match(stdout, /expected weights that are finite in engine native-f32\.1/);
    assert.equal((await run("reference")).code, 0);
  });
});

test("imported: a name with a comma is in quotes in the table", async () => {
  await withNetworks(async ({ folder, file, directory }) => {
    await copyFile(join(folder, "a.safetensors"), join(folder, 'a, "b".safetensors'));
    const quoted = JSON.stringify('a, "b".safetensors');
    await writeFile(file, SPEC.replace("a.safetensors, b.safetensors", quoted));
    await runHere(file, directory);
    const table = await readFile(join(directory, "summary.csv"), "utf8");
    assert.ok(table.includes('"a, ""b"".safetensors",end'), table);
  });
});

const REFUSED: readonly (readonly [change: (spec: string) => string, fault: RegExp])[] = [
  [
    (spec) => spec.replace("circle, samples: 100", "gaussians, dimensions: 5"),
    /expected networks of 5 and 1 inputs and outputs, .*, not of 2 and 1/,
  ],
  [
    (spec) => spec.replace("b.safetensors]", "b.safetensors], weightVariance: 0.1"),
    /no `weightVariance`, as the networks are not random/,
  ],
  [
    (spec) => spec.replace("b.safetensors]", "b.safetensors], width: 4"),
    /either files of networks, or `width`, `depth` or `hidden`/,
  ],
  [
    (spec) => spec.replace("network: {", "network: {weights: a.safetensors, "),
    /`network.weights` (here or )?in `axes`/,
  ],
  [
    (spec) => spec.replace("data: {name: circle, samples: 100}", "training: {epochs: 2}"),
    /a data set with samples, as the networks are trained; or `epochs: 0`/,
  ],
  [
    (spec) => spec.replace("a.safetensors, b.safetensors", "a.safetensors, a.safetensors"),
    /no value twice/,
  ],
];

for (const [change, fault] of REFUSED) {
  test(`imported: a spec is refused: ${fault.source}`, async () => {
    await withNetworks(async ({ file }) => {
      await writeFile(file, change(SPEC));
      await assert.rejects(readSweep(file), fault);
    });
  });
}
