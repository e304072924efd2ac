/** What share of the processor time coordinator and broker take while two threads compute tiles of some seconds. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { fieldWork } from "../../shared/work.ts";
import { resolveEngine } from "../../worker/engines/registry.ts";
import { measureRates } from "../../worker/rates.ts";
import { medianAndRange } from "../engines/statistics.ts";
import { table } from "../engines/table.ts";
import { built, cpuSeconds, ended } from "./processes.ts";

export interface Overhead {
  readonly engine: string;
  readonly runs: readonly Run[];
}

interface Run {
  readonly tiles: number;
  /** From the start of the processes to the end of `ftle run`. */
  readonly whole: Spent;
  /** From the first stored result to the last. */
  readonly steady: Spent;
}

/** Seconds: of the clock, and of the processor in each process. */
interface Spent {
  readonly wall: number;
  readonly coordinator: number;
  readonly server: number;
  readonly worker: number;
}

export const GOAL = 0.02;
const THREADS = 2;
const WIDTH = 100;
const DEPTH = 8;
const POINTS = 512;
/** How often the processes are looked at. */
const LOOK_MS = 50;

export async function measureOverhead(
  folder: string,
  { rounds, seconds, engine: name }: { rounds: number; seconds: number; engine: string },
): Promise<Overhead> {
  const engine = resolveEngine(name as "native");
  const spec = join(folder, "overhead.yaml");
  writeFileSync(spec, stringify(specFor(engine, seconds)));
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    runs.push(await runOnce(spec, { out: join(folder, `overhead-${round}`), engine: name }));
  }
  return { engine, runs };
}

/** Enough networks for so many seconds. */
function specFor(engine: string, seconds: number): object {
  const hidden = Array.from({ length: DEPTH }, () => WIDTH);
  const activation = "tanh";
  const network = {
    inputs: 2,
    hidden,
    outputs: 1,
    activation,
    outputActivation: activation,
  } as const;
  const work = fieldWork(network, POINTS ** 2);
  const networks = Math.ceil((seconds * THREADS * measureRates(engine).field) / work);
  return {
    name: "overhead",
    axes: { width: [WIDTH], depth: [DEPTH], seed: { count: networks } },
    training: { epochs: 1 },
    field: { points: POINTS },
  };
}

async function runOnce(
  spec: string,
  { out, engine }: { out: string; engine: string },
): Promise<Run> {
  const program = built("cli/main");
  const server = await startNatsServer();
  const ftle = (...args: string[]) =>
    spawn(
      process.execPath,
      [program, ...args, "--nats", server.url, "--engine", engine, "--quiet"],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  const start = performance.now();
  const worker = ftle("worker", "--threads", String(THREADS));
  const coordinator = ftle("run", spec, "--out", out, "--no-plot");
  let last: Spent = { wall: 0, coordinator: 0, server: 0, worker: 0 };
  let [first, latest]: (Spent | null)[] = [null, null];
  let stored = 0;
  const serverBefore = cpuSeconds(server.pid)!;
  try {
    while (coordinator.exitCode === null) {
      await pause(LOOK_MS);
      const wall = (performance.now() - start) / 1000;
      last = {
        wall,
        coordinator: cpuSeconds(coordinator.pid!) || last.coordinator, // 0 when it has just ended
        server: cpuSeconds(server.pid)! - serverBefore,
        worker: cpuSeconds(worker.pid!)!,
      };
      const now = storedIn(out);
      if (now > stored) {
        stored = now;
        first ??= last;
        latest = last;
      }
    }
    if ((await ended(coordinator)) !== 0) throw new Error("`ftle run` failed");
  } finally {
    coordinator.kill();
    worker.kill();
    await ended(worker);
    await server.stop();
  }
  const steady = { ...last };
  for (const key of Object.keys(last) as (keyof Spent)[]) steady[key] = latest![key] - first![key];
  return { tiles: stored, whole: last, steady };
}

/** How many results a sweep's journal tells of. */
function storedIn(directory: string): number {
  try {
    const text = readFileSync(join(directory, "journal.jsonl"), "utf8");
    return text.split('"event":"stored"').length - 1;
  } catch {
    return 0; // there is none yet
  }
}

export function share({ coordinator, server, worker }: Spent): number {
  return (coordinator + server) / (coordinator + server + worker);
}

export function overheadReport({ engine, runs }: Overhead): string {
  const row = (name: string, spent: readonly Spent[]) => {
    const of = (get: (one: Spent) => number) => medianAndRange(spent.map(get));
    return [
      name,
      of(({ wall }) => wall),
      of(({ worker }) => worker),
      of(({ coordinator }) => coordinator),
      of(({ server }) => server),
      of((one) => 100 * share(one)),
    ];
  };
  const head = ["", "seconds", "worker, s", "coordinator, s", "nats-server, s", "share, %"];
  const rows = [
    row(
      "first result to last",
      runs.map(({ steady }) => steady),
    ),
    row(
      "start-up and end, too",
      runs.map(({ whole }) => whole),
    ),
  ];
  const perTask = runs.map(
    ({ tiles, steady }) => (1000 * (steady.coordinator + steady.server)) / tiles,
  );
  const tasks = medianAndRange(runs.map(({ tiles }) => tiles));
  const mean = medianAndRange(
    runs.map(({ tiles, steady }) => (THREADS * steady.wall) / tiles),
    2,
  );
  const notes = [
    `- Engine ${engine}, N = ${WIDTH}, L = ${DEPTH}, fields of ${POINTS}² points, tiles as \`ftle run\` chooses them; one worker process of ${THREADS} threads`,
    `- ${tasks} tasks of ${mean} s; each costs coordinator and broker ${medianAndRange(perTask, 2)} ms of the processor`,
  ];
  return [table(head, rows), "", ...notes].join("\n");
}
