/** Claim: a store with 10⁵ stored tiles is opened and its status shown in under 5 s. `npm run bench:store` */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { loadStored } from "../cli/sweeps/stored-sweep.ts";
import { planSweep } from "../coordinator/plan/plan.ts";
import { remainingLoad } from "../coordinator/run/load.ts";
import { parseSweep } from "../coordinator/spec/parse-sweep.ts";
import { totals } from "../coordinator/store/cell-status.ts";
import { fieldMetadata } from "../coordinator/store/field-metadata.ts";
import { arraysOf, chunkPath, tileFiles } from "../coordinator/store/field-zarr.ts";
import { fieldFolder } from "../coordinator/store/layout.ts";
import type { FieldState } from "../coordinator/store/scan.ts";
import { scanFields, scanStore } from "../coordinator/store/scan.ts";
import { openStore } from "../coordinator/store/store.ts";
import { digestOf } from "../shared/identity.ts";
import { resolveEngine } from "../worker/engines/registry.ts";

const SPEC = `
axes: {width: 1..10, depth: 1..10}
training: {epochs: 1}
field: {points: 512, tile: 16}
`;

const directory = await mkdtemp(join(tmpdir(), "ftle-bench-"));
try {
  const stored = await fill(directory);
  for (const thorough of [false, true]) {
    const start = performance.now();
    const { plan } = await loadStored(directory);
    const state = await scanStore(plan, { directory, thorough });
    const { tiles } = totals(plan, state);
    const rest = remainingLoad(plan, state);
    const seconds = (performance.now() - start) / 1000;
    if (tiles.stored !== stored || rest.tiles !== 0) throw new Error("not all tiles were found");
    const what = thorough ? "every checksum read (resume)" : "opening and status";
    console.log(`${stored} stored tiles, ${what}: ${seconds.toFixed(2)} s`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

/** Makes a finished store; its chunks are written without the store's fsyncs, to save an hour. */
async function fill(directory: string): Promise<number> {
  const parsed = parseSweep(SPEC, { file: "bench.yaml" });
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  const plan = planSweep(parsed.sweep, resolveEngine("auto"));
  const store = await openStore(directory);
  await store.putSweep(parsed.sweep, { source: SPEC, engine: plan.engine });
  const blob = new Uint8Array(1000);
  const digest = digestOf(blob);
  const history = { trainLoss: [1], trainAccuracy: [1], testLoss: [1, 1], testAccuracy: [1, 1] };
  const provenance = { worker: "w", engine: plan.engine, version: "0", attempt: 1, seconds: 1 };
  let stored = 0;
  for (const cell of plan.cells) {
    const weights = [{ snapshot: "end" as const, epoch: 1, digest, bytes: blob.length }];
    const header = {
      kind: "train",
      task: "t",
      cell: cell.id,
      status: "trained",
      reason: "",
    } as const;
    const result = { ...header, epochs: 1, history, weights, provenance };
    const record = await store.putTraining(cell, result, new Map([[digest, blob]]));
    const scan = { directory, thorough: false };
    for (const field of await scanFields(plan, record, { ...scan, damaged: [] })) {
      stored += await fillField(
        join(directory, fieldFolder(cell.id, "end", plan.field!.id)),
        field,
      );
    }
  }
  await store.close();
  return stored;
}

async function fillField(folder: string, { description, tiles }: FieldState): Promise<number> {
  const put = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  for (const [path, bytes] of await fieldMetadata(description)) put(path, bytes);
  const { tile } = description;
  const values = new Float32Array(tile * tile).fill(0.5);
  const first = { column: 0, row: 0, columns: tile, rows: tile };
  const files = tileFiles(description, first, {
    lambda1: values,
    direction: values,
    output: values,
  });
  const side = Math.sqrt(tiles.length);
  for (let i = 0; i < tiles.length; i++) {
    for (const array of arraysOf(description.grid)) {
      const bytes = files.get(chunkPath(description, array, { row: 0, column: 0 }))!;
      put(chunkPath(description, array, { row: Math.floor(i / side), column: i % side }), bytes);
    }
  }
  return tiles.length;
}
