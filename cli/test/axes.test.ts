/** A sweep over options of its training, from its plan to what xarray would open. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FileSystemStore } from "@zarrita/storage";
import * as zarr from "zarrita";
import { inFolder } from "./support/folder.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

const spec = (rates: string) => `
name: rates
axes:
  width: 6
  depth: 2
  training.learningRate: ${rates}
  training.batch: [20, 50]
  training.optimizer: [sgd, adam]
  network.activation: [tanh, relu]
  seed: {count: 2}
data: {name: circle, samples: 400}
training: {epochs: 2, schedule: {name: cosine, warmup: 0.5}}
field: {points: 32, tile: 32}
`;
const CELLS = 2 * 2 * 2 * 2 * 2;
const TILES = 1;

test("axes: a sweep over rate, batch, optimizer and activation is planned, killed, resumed, extended, plotted and exported", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "rates.yaml");
    const directory = join(folder, "rates");
    await writeFile(file, spec("[0.05, 0.1]"));
    const plan = JSON.parse((await ftle("plan", file, "--json")).stdout);
    assert.deepEqual([plan.cells, plan.tiles], [CELLS, TILES * CELLS]);

    const killed = spawnFtle("run", file, "--out", directory, "--no-plot", "--threads", "1");
    await until("ten results", async () => (await journalled(directory)).length >= 10);
    killed.kill("SIGKILL");
    await killed.ended;
    const stored = (await journalled(directory)).length;
    const resumed = JSON.parse((await ftle("resume", directory, "--no-plot", "--json")).stdout);
    assert.equal(resumed.totals.cells.trained + resumed.totals.cells.diverged, CELLS);
    // A kill may come between a result and its line in the journal.
    const left = CELLS * (1 + TILES) - stored;
    assert.ok(resumed.tasksRun <= left && resumed.tasksRun >= left - 1, `${resumed.tasksRun}`);

    await writeFile(file, spec("[0.05, 0.1, 0.02]"));
    const more = JSON.parse((await ftle("plan", file, "--against", directory, "--json")).stdout);
    assert.deepEqual([more.toRun.trainings, more.newCells.length], [CELLS / 2, CELLS / 2]);
    const extended = await ftle("run", file, "--out", directory, "--no-plot", "--json");
    assert.equal(JSON.parse(extended.stdout).tasksRun, (CELLS / 2) * (1 + TILES));

    const why = await ftle(
      "why",
      directory,
      "batch=2e1,learningRate=0.05,optimizer=adam,activation=tanh,seed=1",
    );
    assert.match(why.stdout, /^[0-9a-f]{16} \(N=6 L=2 .* batch=20 seed 1\) is stored/);
    const [header, first] = (await readFile(join(directory, "summary.csv"), "utf8")).split("\n");
    assert.match(header!, /,seed,activation,optimizer,learningRate,batch,snapshot,/);
    assert.match(first!, /,0,tanh,sgd,0.05,20,end,/);

    await assertPlots(directory);
    const { path } = JSON.parse(
      (await ftle("export", directory, "--format", "zarr", "--json")).stdout,
    );
    const lambda1 = await zarr.open.v3(zarr.root(new FileSystemStore(path)).resolve("lambda1"), {
      kind: "array",
    });
    assert.deepEqual(lambda1.dimensionNames, [
      ...["logGain", "seed", "activation", "optimizer", "learningRate", "batch"],
      ...["width", "depth", "snapshot", "y", "x"],
    ]);
    assert.deepEqual(lambda1.shape, [1, 2, 2, 2, 3, 2, 1, 1, 1, 32, 32]);
  });
});

async function assertPlots(directory: string): Promise<void> {
  const drawn = async (...args: string[]) => {
    const { code, stdout, stderr } = await ftle("plot", directory, "--json", ...args);
    assert.equal(code, 0, stderr);
    const { figures } = JSON.parse(stdout) as { figures: string[] };
    for (const figure of figures) assert.ok(existsSync(figure), figure);
    return figures;
  };
  const only = ["--only", "seed=0", "--only", "optimizer=sgd", "--only", "activation=tanh"];
  const lattice = await drawn(
    ...["--rows", "training.batch", "--columns", "training.learningRate", "--format", "svg"],
    ...only,
  );
  assert.equal(lattice.length, 1);
  const svg = await readFile(lattice[0]!, "utf8");
  for (const label of ["batch = 50", "learningRate = 0.02", "optimizer sgd"]) {
    assert.ok(svg.includes(label), label);
  }
  const [lines] = await drawn(
    ...["--lines", "testAccuracy", "--against", "training.learningRate"],
    ...["--series", "training.batch", "--log", "--format", "svg"],
  );
  assert.match(await readFile(lines!, "utf8"), /mean over activation, optimizer, seed/);
  const refused = await ftle("plot", directory, "--lines", "testLoss", "--against", "optimizer");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /expected an axis of numbers .*; optimizer has names/);
}
