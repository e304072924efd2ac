/**
 * Claim: large tiles are stored at half the speed at which the disk takes plain files with an fsync each, or faster. Twelve
 * simulated workers return tiles of 3 MB as fast as they are taken. `npm run bench:large`
 */
import { setMaxListeners } from "node:events";
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { planSweep } from "../coordinator/plan/plan.ts";
import { runSweep } from "../coordinator/run/run-sweep.ts";
import { parseSweep } from "../coordinator/spec/parse-sweep.ts";
import type { Sweep } from "../coordinator/spec/sweep.ts";
import { scanStore } from "../coordinator/store/scan.ts";
import { openStore } from "../coordinator/store/store.ts";
import type { FieldTask, Task, TaskResult } from "../shared/messages.ts";
import { layerWidths } from "../shared/numerics/network.ts";
import { encodeWeights } from "../shared/safetensors.ts";
import { localTransport } from "../shared/transport/local.ts";
import type { Transport } from "../shared/transport/transport.ts";
import { median, medianAndRange, ratios } from "./engines/statistics.ts";
import { table } from "./engines/table.ts";

const ENGINE = "bench.1";
const WORKERS = 12;
const ROUNDS = 5;
const SPEC = `
axes: {width: 2..9, depth: [1, 2, 3]}
training: {epochs: 1}
field: {points: 1024, tile: 512}
`;
/** Three arrays of 512² numbers of four bytes. */
const TILE_BYTES = 3 * 512 ** 2 * 4;

const sweep = sweepOf(SPEC);
const plan = planSweep(sweep, ENGINE);
const TILES = plan.cells.length * 4;

const folder = await mkdtemp(join(tmpdir(), "ftle-large-"));
try {
  const ours: number[] = [];
  const plain: number[] = [];
  const late: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(megabytes(plainFiles(join(folder, `plain-${round}`))));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    ours.push(megabytes(await storeTiles(join(folder, `store-${round}`))));
    delay.disable();
    late.push(Math.max(0, delay.percentile(99) / 1e6 - 5));
  }
  const share = ratios(ours, plain);
  console.log(
    table(
      ["", "MB/s", "× plain files"],
      [
        ["plain files, an fsync each, one after another", medianAndRange(plain), "1"],
        ["tiles from twelve workers", medianAndRange(ours), medianAndRange(share)],
      ],
    ),
  );
  console.log(`goal: ≥ 0.5 of plain files: ${median(share) >= 0.5 ? "met" : "not met"}`);
  console.log(`event loop late, p99 of each round: ${medianAndRange(late)} ms`);
} finally {
  await rm(folder, { recursive: true });
}

function sweepOf(spec: string): Sweep {
  const parsed = parseSweep(spec, { file: "bench.yaml" });
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.sweep;
}

function megabytes(seconds: number): number {
  return (TILES * TILE_BYTES) / 1e6 / seconds;
}

/** Seconds for the same bytes as plain files. */
function plainFiles(directory: string): number {
  mkdirSync(directory);
  const bytes = new Uint8Array(TILE_BYTES / 3).fill(1);
  const start = performance.now();
  for (let i = 0; i < 3 * TILES; i++) {
    const file = openSync(join(directory, String(i)), "wx");
    writeSync(file, bytes);
    fsyncSync(file);
    closeSync(file);
  }
  return (performance.now() - start) / 1000;
}

/** Seconds from the first tile's task to the last tile's acknowledgement. */
async function storeTiles(directory: string): Promise<number> {
  const transport = localTransport();
  const store = await openStore(directory);
  const { signal } = new AbortController();
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  let first = 0;
  try {
    await store.putSweep(sweep, { source: SPEC, engine: ENGINE });
    const state = await scanStore(plan, { directory, thorough: false });
    const onTile = () => {
      first ||= performance.now();
    };
    for (let i = 0; i < WORKERS; i++) void work(transport, over.signal, onTile);
    const options = { plan, store, state, transport, signal };
    await runSweep({ ...options, flight: () => 2 * WORKERS, onEvent() {} });
    return (performance.now() - first) / 1000;
  } finally {
    over.abort();
    await transport.stop();
    await store.close();
  }
}

async function work(transport: Transport, signal: AbortSignal, onTile: () => void): Promise<void> {
  while (!signal.aborted) {
    const lease = await transport.lease({ worker: "w", engine: ENGINE, signal }).catch((error) => {
      if (!signal.aborted) throw error;
      return null;
    });
    if (lease === null) return;
    if (lease.task.kind === "field") onTile();
    await turn(); // the workers are not to hold up each other
    await lease.complete(await resultOf(transport, lease.task));
  }
}

async function resultOf(transport: Transport, task: Task): Promise<TaskResult> {
  const provenance = { worker: "w", engine: ENGINE, version: "0", attempt: 1, seconds: 1 };
  const header = { task: task.id, cell: task.cell, provenance };
  if (task.kind === "field") return { kind: "field", ...header, ...arraysOf(task) };
  if (task.kind === "analysis") throw new TypeError("expected no analyses");
  const widths = layerWidths(task.physics.network);
  const layers = widths.slice(1).map((width, l) => {
    return { weight: new Float32Array(width * widths[l]!), bias: new Float32Array(width) };
  });
  const bytes = encodeWeights(layers, { cell: task.cell });
  const digest = await transport.putBlob(task.sweep, bytes);
  const weights = [{ snapshot: "end" as const, epoch: 1, digest, bytes: bytes.length }];
  const history = { trainLoss: [1], trainAccuracy: [1], testLoss: [1, 1], testAccuracy: [1, 1] };
  const trained = { status: "trained", reason: "", epochs: 1, history, weights } as const;
  return { kind: "train", ...header, ...trained };
}

function arraysOf({ tile }: FieldTask) {
  const array = () => new Float32Array(tile.rows * tile.columns).fill(0.5);
  return { lambda1: array(), direction: array(), output: array() };
}
