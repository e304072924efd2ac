/**
 * Claims: metrics cost a worker less than 1 % of its throughput; a coordinator with 50 sweeps and 200 workers answers
 * in under 50 ms, with less than 200 kB. `npm run bench:metrics`, after `npm run build`.
 */

import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { coordinatorMetrics } from "../coordinator/metrics/coordinator-metrics.ts";
import { addCrewMetrics } from "../coordinator/metrics/crew-metrics.ts";
import { sweepMetrics } from "../coordinator/metrics/sweep-metrics.ts";
import { createWorkerRoll } from "../coordinator/metrics/worker-roll.ts";
import { planSweep } from "../coordinator/plan/plan.ts";
import { parseSweep } from "../coordinator/spec/parse-sweep.ts";
import { untouched } from "../coordinator/store/scan.ts";
import type { FieldTask } from "../shared/messages.ts";
import { addProcessMetrics, createRegistry } from "../shared/metrics/registry.ts";
import { startMetricsServer } from "../shared/metrics/server.ts";
import { initialWeights } from "../shared/numerics/initialise.ts";
import type { NetworkShape } from "../shared/numerics/network.ts";
import { encodeWeights } from "../shared/safetensors.ts";
import { fieldTaskFixture } from "../shared/testing/task-fixture.ts";
import { localTransport } from "../shared/transport/local.ts";
import { fieldWork } from "../shared/work.ts";
import { resolveEngine } from "../worker/engines/registry.ts";
import { workerMetrics } from "../worker/metrics/worker-metrics.ts";
import { startWorker } from "../worker/worker.ts";
import { median, medianAndRange, ratios } from "./engines/statistics.ts";
import { table } from "./engines/table.ts";

const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "15" }, tasks: { type: "string", default: "400" } },
});
const ROUNDS = Number(flags.rounds);
const TASKS = Number(flags.tasks);
const THREADS = 2;
const EVENTS = 200_000;
const SCRAPES = 500;
/** Fifteen times as often as usual. */
const SCRAPE_MS = 1_000;
const LOOPBACK = { host: "127.0.0.1", port: 0 };

/** A hundredth of the planned size of tasks: the measured overhead is a hundred times what users see. */
const NETWORK: NetworkShape = {
  inputs: 2,
  hidden: Array.from({ length: 8 }, () => 50),
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};
const POINTS = 96;

await parts();
await throughput();
await answer();

/** Processor time that metrics add: a task's events, and a scrape; and its share of a worker's time. */
async function parts(): Promise<void> {
  const registry = createRegistry();
  addProcessMetrics(registry);
  const rates = { train: 1, field: 1 };
  const metrics = workerMetrics(registry, { name: "w", engine: "e", threads: THREADS, rates });
  const run = { task: tile("t", "e", ""), isResumed: false, progress: () => 1, seconds: () => 1 };
  const computed = { operations: 1, points: 1, samples: 0 };
  const taskSeconds = cpuOf(EVENTS, () => {
    metrics.onEvent({ kind: "leased", run, waitSeconds: 0 });
    metrics.onEvent({ kind: "ended", run, outcome: "done", computed });
  });
  const server = await startMetricsServer({ address: LOOPBACK, registry, notReady: () => null });
  const before = process.cpuUsage();
  const source = `for (let i = 0; i < ${SCRAPES}; i++) await (await fetch("http://${server.place}/metrics")).text()`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source]);
  await new Promise((resolve) => child.once("close", resolve));
  const { user, system } = process.cpuUsage(before);
  await server.stop();
  const scrapeSeconds = (user + system) / 1e6 / SCRAPES;
  const share = taskSeconds / 1 + scrapeSeconds / 15; // of one thread with tasks of 1 s, scraped every 15 s
  process.stdout.write(
    `processor time: ${(taskSeconds * 1e6).toFixed(1)} µs a task, ${(scrapeSeconds * 1e3).toFixed(2)} ms a scrape; with tasks of 1 s on one thread and a scrape every 15 s: ${(100 * share).toFixed(3)} %\n\n`,
  );
}

function cpuOf(times: number, call: () => void): number {
  for (let i = 0; i < times / 10; i++) call();
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / times;
}

/** Tasks and processor time per second with and without metrics, in turns. */
async function throughput(): Promise<void> {
  const sides = { without: [] as Spent[], with: [] as Spent[] };
  await round(false); // warms up
  for (let i = 0; i < ROUNDS; i++) {
    const order = i % 2 === 0 ? [false, true] : [true, false];
    for (const isWatched of order) {
      sides[isWatched ? "with" : "without"].push(await round(isWatched));
    }
  }
  const of = (side: keyof typeof sides, what: keyof Spent) => sides[side].map((run) => run[what]);
  const row = (name: string, what: keyof Spent, toMs: number) => [
    name,
    medianAndRange(of("without", what).map((value) => (value * toMs) / TASKS)),
    medianAndRange(of("with", what).map((value) => (value * toMs) / TASKS)),
    medianAndRange(ratios(of("with", what), of("without", what)), 4),
  ];
  const taskMs = (THREADS * 1000 * median(of("without", "wall"))) / TASKS;
  process.stdout.write(
    `${ROUNDS} rounds of ${TASKS} tiles of ${taskMs.toFixed(1)} ms, ${THREADS} threads; scraped every ${SCRAPE_MS} ms\n\n`,
  );
  const rows = [row("time a task, ms", "wall", 1000), row("processor a task, ms", "cpu", 1000)];
  process.stdout.write(`${table(["", "without metrics", "with metrics", "ratio"], rows)}\n\n`);
}

interface Spent {
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
}

async function round(isWatched: boolean): Promise<Spent> {
  const engine = resolveEngine("auto");
  const transport = localTransport();
  const registry = createRegistry();
  if (isWatched) addProcessMetrics(registry);
  const rates = { train: 1, field: 1 };
  const metrics = isWatched
    ? workerMetrics(registry, { name: "w", engine, threads: THREADS, rates })
    : null;
  const server = await startMetricsServer({ address: LOOPBACK, registry, notReady: () => null });
  const scraper = scrape(server.place); // of an empty registry, too: the scraper's own time is not the worker's
  const worker = startWorker({
    ...{ transport, name: "w", engine, threads: THREADS },
    onEvent: (event) => metrics?.onEvent(event),
  });
  const weights = initialWeights(NETWORK, { weightVariance: 0.02, thresholdVariance: 0 }, [1, 2]);
  const blob = await transport.putBlob("s", encodeWeights(weights, {}));
  const run = async (from: number, count: number) => {
    for (let i = 0; i < count; i++) await transport.publish(tile(`t${from + i}`, engine, blob));
    let left = count;
    for await (const outcome of transport.outcomes("s", { signal: new AbortController().signal })) {
      if (outcome.kind === "dead") throw new Error(outcome.letter.reason.message);
      await outcome.ack();
      if (--left === 0) return;
    }
  };
  try {
    await run(0, 4 * THREADS); // threads start
    while (server.scrapes() === 0) await pause(10);
    const start = performance.now();
    const before = process.cpuUsage();
    await run(1000, TASKS);
    const { user, system } = process.cpuUsage(before);
    return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
  } finally {
    scraper.kill();
    await worker.stop();
    await transport.stop();
    await server.stop();
  }
}

function tile(id: string, engine: string, weights: string): FieldTask {
  const grid = { region: { x: [-1, 1], y: [-1, 1] }, points: POINTS, layers: "last" } as const;
  return {
    ...fieldTaskFixture(id),
    ...{ engine, weights, network: NETWORK, grid, work: fieldWork(NETWORK, POINTS ** 2) },
    tile: { column: 0, row: 0, columns: POINTS, rows: POINTS },
  };
}

/** A separate process, like Prometheus. */
function scrape(place: string) {
  const source = `setInterval(() => fetch("http://${place}/metrics").then((r) => r.text()).catch(() => {}), ${SCRAPE_MS})`;
  return spawn(process.execPath, ["--eval", source], { stdio: "ignore" });
}

/** The largest answer of a coordinator, over HTTP. */
async function answer(): Promise<void> {
  const parsed = parseSweep("axes: {width: [5, 10], depth: 2, seed: {count: 50}}", { file: "x" });
  if (!("sweep" in parsed)) throw new Error("not a spec");
  const plan = planSweep(parsed.sweep, "native-f32.1");
  const cells = plan.cells.map(untouched);
  const state = { cells, dead: new Set<string>(), damaged: [] };
  const registry = createRegistry();
  addProcessMetrics(registry);
  const metrics = coordinatorMetrics(registry);
  for (let i = 0; i < 50; i++) {
    const usual = { name: `a-usual-name-${i}`, plan, state, damaged: 0, deadline: Date.now() };
    const sweep = sweepMetrics(metrics, usual);
    const queue = { pending: 1000, inFlight: 400, redelivered: 3 };
    sweep.look({ running: [], etaSeconds: 1e4, isPaused: false, queue });
    if (i < 40) sweep.end("complete", state);
  }
  const roll = createWorkerRoll();
  const rates = { train: 1e10, field: 1e10 };
  const listed = Array.from({ length: 200 }, (_, i) => {
    const engine = `native-f32.${i % 3}`;
    return {
      name: `w${i}`,
      engine,
      threads: 8,
      version: "1",
      rates,
      since: 0,
      seen: 0,
      running: [],
    };
  });
  roll.observe(listed, 0);
  addCrewMetrics(registry, () => {
    return { workers: roll.engines(), workersLost: roll.lost(), streams: [] };
  });
  const server = await startMetricsServer({ address: LOOPBACK, registry, notReady: () => null });
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < 50; i++) {
    const start = performance.now();
    bytes = (await (await fetch(`http://${server.place}/metrics`)).arrayBuffer()).byteLength;
    times.push(performance.now() - start);
  }
  await server.stop();
  process.stdout.write(
    `/metrics of a coordinator with 50 sweeps, ten of them running, and 200 workers: ${(bytes / 1000).toFixed(0)} kB in ${medianAndRange(times, 2)} ms\n`,
  );
}
