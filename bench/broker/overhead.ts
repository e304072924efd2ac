/** What share of the processor time coordinator and broker take while two threads compute tiles of a few seconds. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { fieldWork } from "../../shared/work.ts";
import type { EngineName } from "../../worker/engines/registry.ts";
import { resolveEngine } from "../../worker/engines/registry.ts";
import { measureRates } from "../../worker/rates.ts";
import { medianAndRange } from "../engines/statistics.ts";
import { table } from "../engines/table.ts";
import { built, cpuSeconds, ended } from "./processes.ts";

export interface Overhead {
  readonly what: string;
  readonly runs: readonly Run[];
}

interface Run {
  readonly tiles: number;
  /** Mean time of a tile in its thread. */
  readonly tileSeconds: number;
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
const DEPTH = 8;
const POINTS = 512;
/** How often the processes are measured. */
const LOOK_MS = 50;

/** Trainings and tiles as they come, from milliseconds to some ten seconds. */
const WHOLE_SWEEP = fileURLToPath(new URL("../../examples/fig2.yaml", import.meta.url));
/** With the fast engine the least that a tile of a second can be, and what Fig. 2 takes longest for; the slow engine. */
const TILES_ALONE = [
  { engine: "native", width: 100 },
  { engine: "native", width: 250 },
  { engine: "reference", width: 50 },
] as const;

interface Case {
  readonly engine: EngineName;
  readonly what: string;
  readonly spec: string;
}

export async function measureOverhead(
  folder: string,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Overhead[]> {
  const whole: Case = { engine: "native", what: "native, fig2.yaml whole", spec: WHOLE_SWEEP };
  const alone = TILES_ALONE.map(({ engine, width }): Case => {
    const spec = join(folder, `${engine}-${width}.yaml`);
    writeFileSync(spec, stringify(tilesAlone(engine, { width, seconds })));
    return { engine, what: `${engine}, N = ${width}`, spec };
  });
  const cases = [whole, ...alone].map((one) => ({ ...one, runs: [] as Run[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { what, spec, engine, runs } of cases) {
      runs.push(await runOnce(spec, { out: join(folder, `${what}-${round}`), engine }));
    }
  }
  return cases;
}

/** Enough networks for this many seconds; not trained, so that there are tiles only. */
function tilesAlone(
  engine: EngineName,
  { width, seconds }: { width: number; seconds: number },
): object {
  const hidden = Array.from({ length: DEPTH }, () => width);
  const [activation, outputActivation] = ["tanh", "tanh"] as const;
  const network = { inputs: 2, hidden, outputs: 1, activation, outputActivation };
  const work = fieldWork(network, POINTS ** 2);
  const rate = measureRates(resolveEngine(engine)).field;
  const count = Math.ceil((seconds * THREADS * rate) / work);
  return {
    name: "overhead",
    axes: { width: [width], depth: [DEPTH], seed: { count } },
    training: { epochs: 0 },
    field: { points: POINTS },
  };
}

async function runOnce(
  spec: string,
  { out, engine }: { out: string; engine: string },
): Promise<Run> {
  const program = built("cli/main");
  const server = await startNatsServer({ config: "max_payload: 8MB" }); // as in deploy/nats
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
  return { ...tilesIn(out), whole: last, steady };
}

/** How many results a sweep's journal lists. */
function storedIn(directory: string): number {
  return journalOf(directory).split('"event":"stored"').length - 1;
}

function tilesIn(directory: string): { tiles: number; tileSeconds: number } {
  const lines = journalOf(directory).trim().split("\n");
  const seconds = lines.flatMap((line) => {
    const { event, task, seconds } = JSON.parse(line);
    return event === "stored" && task.startsWith("field-") ? [Number(seconds)] : [];
  });
  const sum = seconds.reduce((a, b) => a + b, 0);
  return { tiles: seconds.length, tileSeconds: sum / seconds.length };
}

function journalOf(directory: string): string {
  try {
    return readFileSync(join(directory, "journal.jsonl"), "utf8");
  } catch {
    return ""; // there is no journal yet
  }
}

export function share({ coordinator, server, worker }: Spent): number {
  return (coordinator + server) / (coordinator + server + worker);
}

export function overheadReport(cases: readonly Overhead[]): string {
  const head = [
    "engine",
    "tiles",
    "of, s",
    "coordinator, ms a tile",
    "nats-server, ms a tile",
    "share, %",
    "with start-up and end, %",
    "in, s",
  ];
  const rows = cases.map(({ what, runs }) => {
    const of = (get: (run: Run) => number) => medianAndRange(runs.map(get), 2);
    return [
      what,
      String(runs[0]!.tiles),
      of(({ tileSeconds }) => tileSeconds),
      of(({ tiles, steady }) => (1000 * steady.coordinator) / tiles),
      of(({ tiles, steady }) => (1000 * steady.server) / tiles),
      of(({ steady }) => 100 * share(steady)),
      of(({ whole }) => 100 * share(whole)),
      of(({ whole }) => whole.wall),
    ];
  });
  const notes = [
    `- ${cases[0]!.runs.length} rounds; tiles alone: L = ${DEPTH}, networks not trained; fields of ${POINTS}² points, tiles as \`ftle run\` chooses them; one worker process of ${THREADS} threads`,
    "- Share: the processor time of coordinator and nats-server in that of all three, from the first stored result to the last",
  ];
  return [table(head, rows), "", ...notes].join("\n");
}
