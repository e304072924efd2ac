/** `ftle status --nats`: the sweeps and workers at a broker, from anywhere. */

import type { DeadLetter } from "../../shared/messages.ts";
import type { SweepRecord } from "../../shared/transport/nats/claim.ts";
import { readSweeps } from "../../shared/transport/nats/claim.ts";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import { readDeadLetters, readDepths } from "../../shared/transport/nats/observe.ts";
import type { Queue } from "../../shared/transport/nats/queue-list.ts";
import { readQueues } from "../../shared/transport/nats/queue-list.ts";
import { isSetUp } from "../../shared/transport/nats/setup.ts";
import { readWorkers } from "../../shared/transport/nats/workers.ts";
import type { Depth, WorkerStatus } from "../../shared/transport/transport.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions } from "../terminal/broker-options.ts";
import { counted, duration, integer, percent, table } from "../terminal/format.ts";
import type { Output } from "../terminal/output.ts";

/** A coordinator that has not told of itself for so long is taken for gone. */
const SILENT_MS = 15_000;
/** How many workers and dead letters are named. */
const MOST_NAMED = 20;

interface SweepThere {
  readonly sweep: string;
  readonly name: string;
  readonly engine: string;
  readonly phase: string;
  readonly priority: string;
  readonly owner: { readonly pid: number; readonly host: string } | null;
  readonly progress: SweepRecord["progress"];
  readonly depth: Depth;
}

export async function brokerStatus(flags: BrokerFlags, output: Output): Promise<void> {
  const options = brokerOptions(flags, "observer");
  const broker = await connectBroker(options);
  try {
    if (!(await isSetUp(broker))) {
      const text = `Broker ${place(options.url)} has had no sweep yet.`;
      output.result(text, { sweeps: [], workers: [], letters: [] });
      return;
    }
    const [records, queues, workers, letters] = await Promise.all([
      readSweeps(broker),
      readQueues(broker),
      readWorkers(broker),
      readDeadLetters(broker),
    ]);
    const depths = await readDepths(broker, queues ?? []);
    const now = Date.now();
    const sweeps = sweepsOf(records, queues ?? [], { depths, now });
    const lines = [
      `Broker ${place(options.url)}: ${counted(sweeps.length, "sweep")}, ${counted(workers.length, "worker")}, ${counted(letters.length, "dead letter")}`,
      ...section("Sweeps", sweepRows(sweeps)),
      ...section("Workers", workerRows(workers, now)),
      ...deadLines(letters),
    ];
    output.result(lines.join("\n"), { sweeps, workers, letters });
  } finally {
    await broker.close();
  }
}

function sweepsOf(
  records: readonly SweepRecord[],
  queues: readonly Queue[],
  { depths, now }: { depths: ReadonlyMap<string, Depth>; now: number },
): SweepThere[] {
  const ids = new Set([...records, ...queues].map(({ sweep }) => sweep));
  return [...ids].map((sweep) => {
    const record = records.find((other) => other.sweep === sweep);
    const queue = queues.find((other) => other.sweep === sweep);
    const { name = sweep, progress = null } = record ?? {};
    return {
      sweep,
      name,
      engine: (record ?? queue)!.engine,
      phase: phaseOf(record, queue, now),
      priority: queue?.priority ?? "normal",
      owner: record === undefined ? null : { pid: record.owner.pid, host: record.owner.host },
      progress,
      depth: depths.get(sweep) ?? { waiting: 0, inFlight: 0 },
    };
  });
}

function phaseOf(record: SweepRecord | undefined, queue: Queue | undefined, now: number): string {
  if (queue !== undefined && queue.state !== "running") return queue.state;
  if (record === undefined) return "no coordinator";
  if (record.phase === "running" && now - record.updated > SILENT_MS) return "coordinator silent";
  return record.phase;
}

function sweepRows(sweeps: readonly SweepThere[]): string[][] {
  return sweeps.map(({ sweep, name, phase, priority, progress, depth, owner }) => [
    name,
    sweep,
    priority === "high" ? `${phase}, high priority` : phase,
    progress === null ? "" : percent(progress.fraction),
    progress === null
      ? ""
      : `${integer(progress.tasksDone)} of ${integer(progress.tasksTotal)} tasks`,
    progress === null || phase !== "running"
      ? ""
      : `ETA ${duration(progress.etaSeconds ?? Number.NaN)}`,
    `${integer(depth.waiting)} waiting, ${integer(depth.inFlight)} in flight`,
    progress === null || progress.dead === 0 ? "" : `${progress.dead} given up`,
    owner === null ? "" : `process ${owner.pid} on ${owner.host}`,
  ]);
}

function workerRows(workers: readonly WorkerStatus[], now: number): string[][] {
  const rows = workers
    .slice(0, MOST_NAMED)
    .map(({ name, engine, threads, version, rates, seen, running }) => [
      name,
      engine,
      counted(threads, "thread"),
      `${gigaflops(rates.train)} training, ${gigaflops(rates.field)} fields`,
      `ftle ${version}`,
      `seen ${duration(Math.max(0, now - seen) / 1000)} ago`,
      running.length === 0
        ? "idle"
        : running.map(({ id, progress }) => `${id} ${percent(progress)}`).join(", "),
    ]);
  if (workers.length > MOST_NAMED)
    rows.push([`… and ${integer(workers.length - MOST_NAMED)} more`]);
  return rows;
}

function gigaflops(rate: number): string {
  return `${(rate / 1e9).toPrecision(3)} GFLOP/s`;
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ["", title, table(rows).replaceAll(/^/gm, "  ")];
}

function deadLines(letters: readonly DeadLetter[]): string[] {
  if (letters.length === 0) return [];
  const named = letters
    .slice(0, MOST_NAMED)
    .map(
      ({ task, attempts, worker, reason }) =>
        `  ${task} after ${counted(attempts, "attempt")}, last by ${worker}: ${reason.message}`,
    );
  const rest = letters.length - named.length;
  return ["", "Dead letters", ...named, ...(rest > 0 ? [`  … and ${integer(rest)} more`] : [])];
}
