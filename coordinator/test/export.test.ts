import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { FileSystemStore } from "@zarrita/storage";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import * as zarr from "zarrita";
import { statistics } from "../../shared/analyses/statistics.ts";
import { StoreError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/identity.ts";
import type { FieldResult, FieldTask, TrainResult } from "../../shared/messages.ts";
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import { fieldTask, planSweep } from "../plan/plan.ts";
import { cellsTable } from "../results/export/cells-table.ts";
import { writeCsv } from "../results/export/csv.ts";
import { writeLattice } from "../results/export/lattice-zarr.ts";
import { writeParquet } from "../results/export/parquet.ts";
import { pointsTable } from "../results/export/points-table.ts";
import type { StoredSweepState } from "../results/export/stored-fields.ts";
import { cellColumns } from "../results/export/table.ts";
import { flatRow, summaryCsv, summaryRows } from "../results/summary.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import { scanFields, scanStore, untouched } from "../store/scan.ts";
import type { Store } from "../store/store.ts";
import { openStore } from "../store/store.ts";

const POINTS = 20;
const TILE = 16;
const REGION = { x: [-1, 1], y: [0, 2] } as const;
const SPEC = `
axes: {width: [3, 5], depth: [1, 2]}
data: {name: circle, samples: 100}
training: {epochs: 1, snapshots: [0, end]}
field: {points: ${POINTS}, tile: ${TILE}, layers: all, region: {x: [-1, 1], y: [0, 2]}}
`;

const { signal } = new AbortController();
let root: string;
let folder: string;
/** With N = 3 the shallow network is complete, the deep one is not; with N = 5 one diverged, one is missing. */
let source: StoredSweepState;
let whole: Cell;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "ftle-export-"));
  const parsed = parseSweep(SPEC, { file: "test" });
  if ("faults" in parsed) assert.fail(JSON.stringify(parsed.faults));
  const plan = planSweep(parsed.sweep, "test");
  const cell = (width: number, depth: number) =>
    plan.cells.find(({ point }) => point.width === width && point.depth === depth)!;
  whole = cell(3, 1);
  const directory = join(root, "sweep");
  const store = await openStore(directory);
  await putCell(store, plan, whole, { tiles: 4 });
  await putCell(store, plan, cell(3, 2), { tiles: 1 });
  await store.putTraining(cell(5, 1), trained([], { status: "diverged" }), new Map());
  await store.close();
  const state = await scanStore(plan, { directory, thorough: true });
  assert.deepEqual(state.damaged, []);
  source = { directory, sweep: parsed.sweep, plan, state };
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "out-"));
});
after(async () => {
  await rm(root, { recursive: true, force: true });
});

test("cells: the CSV is the sweep's summary.csv", async () => {
  const rows = summaryRows(source.plan, source.state);
  await writeCsv(join(folder, "cells.csv"), cellsTable(source, rows));
  assert.equal(await readFile(join(folder, "cells.csv"), "utf8"), summaryCsv(rows));
});

test("cells: Parquet has the summary's values, null where there is none", async () => {
  const rows = summaryRows(source.plan, source.state);
  const read = await parquet(join(folder, "cells.parquet"), cellsTable(source, rows));
  assert.equal(read.length, 8);
  assert.deepEqual(
    read,
    rows.map((row) => ({ ...flatRow(row), snapshot: String(row.snapshot) })),
  );
});

test("cells: Parquet of a sweep in which nothing is stored has columns of null with their types", async () => {
  const nothing = {
    ...source.state,
    cells: source.state.cells.map(({ cell }) => untouched(cell)),
  };
  const path = join(folder, "cells.parquet");
  const read = await parquet(path, cellsTable(source, summaryRows(source.plan, nothing)));
  assert.ok(
    read.every(
      ({ epoch, trainLoss, lambda1Mean }) =>
        epoch === null && trainLoss === null && lambda1Mean === null,
    ),
  );
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  const types = Object.fromEntries(schema.map(({ name, type }) => [name, type]));
  assert.equal(types.epoch, "INT64");
  assert.equal(types.trainLoss, "DOUBLE");
  assert.equal(types.status, "BYTE_ARRAY");
});

test("points: one row for each point of each layer of the stored fields, in both formats", async () => {
  const table = () => pointsTable(source, source.plan.field!, { signal });
  const read = await parquet(join(folder, "points.parquet"), table());
  const fields = 2 * (1 + 2); // two snapshots of a network of one layer and of one of two
  assert.equal(read.length, fields * POINTS ** 2);
  const row = 7;
  const column = 3;
  assert.deepEqual(read[row * POINTS + column], {
    cell: whole.id,
    width: 3,
    depth: 1,
    weightVariance: 1 / 3,
    seed: 0,
    snapshot: "0",
    layer: 1,
    x: gridCoordinates(REGION.x, POINTS)[column],
    y: gridCoordinates(REGION.y, POINTS)[row],
    lambda1: valueAt("lambda1", 0, row, column),
    direction: valueAt("direction", 0, row, column),
    output: valueAt("output", 0, row, column),
  });
  const last = read.at(-1)!;
  assert.equal(last.layer, 2);
  assert.ok(Number.isNaN(last.lambda1), "a missing tile is NaN");

  await writeCsv(join(folder, "points.csv"), table());
  const [header, ...lines] = (await readFile(join(folder, "points.csv"), "utf8"))
    .trimEnd()
    .split("\n");
  assert.equal(header, Object.keys(read[0]!).join());
  assert.deepEqual(
    lines,
    read.map((values) => Object.values(values).join()),
  );
});

test("lattice: a field is at its place, and where none is stored there is NaN and no chunk", async () => {
  await writeLattice(folder, source, { signal });
  const lambda1 = await open(folder, "lambda1");
  assert.deepEqual(lambda1.shape, [1, 1, 2, 2, 2, 2, POINTS, POINTS]);
  const at = async (width: number, depth: number, layer: number) => {
    const chunk = await zarr.get(lambda1, [0, 0, width, depth, 1, layer, 7, null]);
    return Array.from(chunk.data as Float32Array);
  };
  const row = Array.from({ length: POINTS }, (_, column) => valueAt("lambda1", 0, 7, column));
  const isNaNs = (values: number[]) => values.every(Number.isNaN);
  assert.deepEqual(await at(0, 0, 0), row);
  assert.ok(isNaNs(await at(0, 0, 1)), "a layer that the network does not have");
  const half = await at(0, 1, 1);
  assert.deepEqual(
    half.slice(0, TILE),
    row.slice(0, TILE).map((_, column) => valueAt("lambda1", 1, 7, column)),
  );
  assert.ok(isNaNs(half.slice(TILE)), "a tile that is not computed");
  assert.ok(isNaNs(await at(1, 0, 0)), "a network that diverged");
  assert.ok(isNaNs(await at(1, 1, 0)), "a network that is not trained");
  const chunks = (await readdir(join(folder, "lambda1"))).filter((name) => name.startsWith("c."));
  assert.equal(chunks.length, 2 * (1 + 2));
  const output = await open(folder, "output");
  assert.deepEqual(output.shape, [1, 1, 2, 2, 2, POINTS, POINTS]);
});

test("lattice: results and coordinates are as in the summary", async () => {
  await writeLattice(folder, source, { signal });
  const values = async (name: string) => [
    ...((await zarr.get(await open(folder, name))).data as Iterable<unknown>),
  ];
  assert.deepEqual(await values("width"), [3n, 5n]);
  assert.deepEqual(await values("snapshot"), ["0", "end"]);
  assert.deepEqual(await values("logGain"), [0]);
  assert.deepEqual(await values("weightVariance"), [1 / 3, 1 / 5]);
  assert.deepEqual(await values("layer"), [1n, 2n]);
  assert.deepEqual(await values("y"), [...gridCoordinates(REGION.y, POINTS)]);
  assert.deepEqual(await values("status"), ["trained", "trained", "diverged", "missing"]);
  const none = Number.NaN;
  assert.deepEqual(await values("epoch"), [0, 1, 0, 1, none, none, none, none]);
  assert.deepEqual(await values("testAccuracy"), [0.5, 0.75, 0.5, 0.75, none, none, none, none]);
});

test("lattice: the group's metadata hold a copy of every array's", async () => {
  await writeLattice(folder, source, { signal });
  const json = async (path: string) => JSON.parse(await readFile(join(folder, path), "utf8"));
  const { metadata } = (await json("zarr.json")).consolidated_metadata;
  const arrays = (await readdir(folder)).filter((name) => name !== "zarr.json");
  assert.deepEqual(Object.keys(metadata).sort(), arrays.sort());
  for (const name of arrays) assert.deepEqual(metadata[name], await json(`${name}/zarr.json`));
});

test("lattice: a sweep without fields has results only", async () => {
  const plan = { ...source.plan, field: null };
  await writeLattice(folder, { ...source, plan }, { signal });
  assert.ok(existsSync(join(folder, "testAccuracy")));
  assert.ok(!existsSync(join(folder, "lambda1")) && !existsSync(join(folder, "x")));
});

test("export: stops when its signal aborts", async () => {
  const reason = new Error("interrupted");
  const stopped = { signal: AbortSignal.abort(reason) };
  await assert.rejects(writeLattice(join(folder, "a"), source, stopped), reason);
  const table = pointsTable(source, source.plan.field!, stopped);
  await assert.rejects(writeCsv(join(folder, "b"), table), reason);
});

test("export: a damaged chunk is an error that says how to repair it", async () => {
  const cells = join(source.directory, "cells", whole.id);
  const field = (await readdir(cells)).find((name) => name.startsWith("field-end"))!;
  const path = join(cells, field, "output", "c.0.1");
  const chunk = await readFile(path);
  await writeFile(path, chunk.with(9, chunk[9]! ^ 1));
  try {
    await assert.rejects(writeLattice(folder, source, { signal }), (error) => {
      return error instanceof StoreError && error.message.includes("`ftle resume`");
    });
  } finally {
    await writeFile(path, chunk);
  }
});

test("cells: every column of the summary is described, in its order", () => {
  const [row] = summaryRows(source.plan, source.state);
  assert.deepEqual(
    Object.keys(cellColumns(source.sweep, { isSaturated: false, analyses: [] })),
    Object.keys(flatRow(row!)),
  );
});

type Quantity = "lambda1" | "direction" | "output";

/** The value of the made-up fields at a point, in the layer at this index; the output has no layers. */
function valueAt(name: Quantity, layer: number, row: number, column: number): number {
  const kind = { lambda1: 1, direction: 2, output: 3 }[name];
  return Math.fround(kind + layer / 10 + row / 1e3 + column / 1e5);
}

/** Stores a training and the first tiles of its fields. */
async function putCell(store: Store, plan: Plan, cell: Cell, { tiles }: { tiles: number }) {
  const blob = Buffer.from(`weights of ${cell.id}`);
  const digest = digestOf(blob);
  const weights = plan.snapshots.map((snapshot, epoch) => {
    return { snapshot, epoch, digest, bytes: blob.length };
  });
  const record = await store.putTraining(cell, trained(weights), new Map([[digest, blob]]));
  const scan = { directory: store.directory, thorough: false, damaged: [] };
  for (const field of await scanFields(plan, record, scan)) {
    for (let i = 0; i < tiles; i++) {
      const place = { row: Math.floor(i / 2), column: i % 2 };
      const { snapshot } = field;
      const task = fieldTask(plan, cell, { snapshot, weights: digest, side: TILE, ...place });
      await store.putTile(field, task, { result: tileResult(task), completes: false });
    }
  }
}

function tileResult({ id, cell, network, tile }: FieldTask): FieldResult {
  const values = (name: Quantity) => {
    const size = tile.rows * tile.columns;
    const layers = name === "output" ? 1 : network.hidden.length;
    return Float32Array.from({ length: layers * size }, (_, i) => {
      const row = tile.row + Math.floor((i % size) / tile.columns);
      const column = tile.column + (i % tile.columns);
      return valueAt(name, Math.floor(i / size), row, column);
    });
  };
  return {
    kind: "field",
    task: id,
    cell,
    lambda1: values("lambda1"),
    direction: values("direction"),
    output: values("output"),
    provenance: PROVENANCE,
  };
}

const PROVENANCE = { worker: "w", engine: "test", version: "0", attempt: 1, seconds: 2 };

function trained(weights: TrainResult["weights"], more: Partial<TrainResult> = {}): TrainResult {
  return {
    kind: "train",
    task: "t",
    cell: "c",
    status: "trained",
    reason: "",
    epochs: 1,
    history: {
      trainLoss: [1],
      trainAccuracy: [0.25],
      testLoss: [2, 1],
      testAccuracy: [0.5, 0.75],
    },
    weights,
    provenance: PROVENANCE,
    ...more,
  };
}

/** Writes a table and reads it back, with numbers for 64-bit integers. */
async function parquet(path: string, table: Parameters<typeof writeParquet>[1]) {
  await writeParquet(path, table);
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "bigint" ? Number(value) : value,
      ]),
    ),
  );
}

async function open(group: string, name: string) {
  return await zarr.open.v3(zarr.root(new FileSystemStore(group)).resolve(name), { kind: "array" });
}

test("statistics: the columns that are described are those of the table", () => {
  const known = Object.keys(cellColumns(source.sweep, { isSaturated: true, analyses: [] }));
  const described = statistics.columns.map(({ name }) => name);
  assert.deepEqual(
    known.filter((name) => described.includes(name)),
    described,
  );
});
