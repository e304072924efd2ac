/** `ftle status --nats`: the sweeps and workers at a broker, from anywhere. */

import type { DeadLetter } from "../../shared/messages.ts";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import { isSetUp } from "../../shared/transport/nats/setup.ts";
import type { WorkerStatus } from "../../shared/transport/transport.ts";
import type { SweepThere } from "../sweeps/broker-state.ts";
import { readBrokerState } from "../sweeps/broker-state.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions } from "../terminal/broker-options.ts";
import { counted, duration, integer, percent, table } from "../terminal/format.ts";
import type { Output } from "../terminal/output.ts";

/** How many workers and dead letters are listed. */
const MOST_NAMED = 20;

export async function brokerStatus(flags: BrokerFlags, output: Output): Promise<void> {
  const options = brokerOptions(flags, "observer");
  const broker = await connectBroker(options);
  try {
    if (!(await isSetUp(broker))) {
      const text = `Broker ${place(options.url)} has had no sweep yet.`;
      output.result(text, { sweeps: [], workers: [], letters: [] });
      return;
    }
    const now = Date.now();
    const { sweeps, workers, letters } = await readBrokerState(broker, now);
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
