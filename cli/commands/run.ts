import type { Command } from "commander";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import { DEAD, SUMMARY_CSV } from "../../coordinator/store/layout.ts";
import { systemClock } from "../../shared/clock.ts";
import { UsageError } from "../../shared/errors.ts";
import { place } from "../../shared/transport/nats/connect.ts";
import { missingBefore } from "../../worker/engines/registry.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { startRunMetrics } from "../metrics/run-metrics.ts";
import { natsWork } from "../places/broker.ts";
import { clusterWork } from "../places/cluster.ts";
import { localWork } from "../places/here.ts";
import type { WorkPlace } from "../places/place.ts";
import { drawDefaultFigures } from "../sweeps/draw.ts";
import type { RunOutcome } from "../sweeps/run-to-end.ts";
import { runToEnd } from "../sweeps/run-to-end.ts";
import type { PlannedSweep } from "../sweeps/stored-sweep.ts";
import { loadStored, planFor, refuseMissingEngine } from "../sweeps/stored-sweep.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions, hasBroker } from "../terminal/broker-options.ts";
import { counted, duration, integer, shellPath, shownPath } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import type { CoordinatorMetricsFlags } from "../terminal/metrics-options.ts";
import type { EngineFlag, RunFlags } from "../terminal/options.ts";
import { command, engineOption, withEngine, withRunOptions } from "../terminal/options.ts";
import type { Output } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";

type AllFlags = RunFlags & BrokerFlags & ClusterFlags & CoordinatorMetricsFlags;

interface ClusterFlags {
  readonly cluster?: boolean;
  readonly priority: "high" | "normal";
  readonly lease: number;
  readonly keep?: boolean;
}

interface NewSweepFlags extends EngineFlag {
  readonly out?: string;
}

/** Exit code of a sweep that is complete but for tasks given up. */
const WITH_DEAD_LETTERS = 3;

export function runCommand(): Command {
  const run = command("run", "run a sweep to its end, going on from what its directory holds", [
    "run examples/quickstart.yaml",
    "run fig2.yaml --out results/fig2 --threads 8",
    "run wider.yaml --out results/fig2    # computes only the cells that fig2 lacks",
    "run fig2.yaml --nats nats://host:4222    # computed by the workers (ftle worker) at this broker",
    "run fig2.yaml --cluster               # the same on this machine alone, for a trial",
    "run fig2.yaml --metrics --deadline 36h    # Prometheus metrics at 127.0.0.1:9464",
  ])
    .argument("<spec>", "the sweep spec, a YAML file")
    .option("-o, --out <dir>", "the sweep's directory (default: sweeps/<name of the sweep>)")
    .addOption(engineOption());
  return withRunOptions(run).action(
    async (file: string, flags: AllFlags & NewSweepFlags, self: Command) => {
      refuseIdleFlags(self, flags);
      const { text, sweep } = withEngine(await readSweep(file), flags);
      const directory = flags.out ?? `sweeps/${sweep.name}`;
      const planned = await planFor(directory, { sweep, source: text });
      await runAndReport(directory, planned, flags, { retry: false });
    },
  );
}

export function resumeCommand(): Command {
  const resume = command(
    "resume",
    "go on with a sweep that was interrupted: check every stored file, run what is missing or damaged",
    ["resume sweeps/fig2"],
  ).argument("<dir>", "the sweep's directory");
  return withRunOptions(resume).action(
    async (directory: string, flags: AllFlags, self: Command) => {
      refuseIdleFlags(self, flags);
      await runAndReport(directory, await loadStored(directory), flags, { retry: false });
    },
  );
}

export function retryCommand(): Command {
  const retry = command(
    "retry",
    "run the tasks that were given up once more, and what is missing",
    ["retry sweeps/fig2"],
  ).argument("<dir>", "the sweep's directory");
  return withRunOptions(retry).action(async (directory: string, flags: AllFlags, self: Command) => {
    refuseIdleFlags(self, flags);
    await runAndReport(directory, await loadStored(directory), flags, { retry: true });
  });
}

async function runAndReport(
  directory: string,
  planned: PlannedSweep,
  flags: AllFlags,
  { retry }: { retry: boolean },
): Promise<void> {
  const output = createOutput(flags);
  const interrupt = onInterrupt(
    `interrupted; every finished task is stored. Go on with: ftle resume ${shellPath(directory)}`,
  );
  const { metrics: address, deadline } = flags;
  const metrics = address ? await startRunMetrics(address) : null;
  try {
    const isQuiet = flags.quiet ?? false;
    const { signal } = interrupt;
    const { workPlace, where } = placeOf(planned, flags, { output, metrics });
    const announce = () => {
      output.note(headline(planned, directory, where));
      if (metrics !== null) output.note(`metrics at http://${metrics.server.place}/metrics`);
      for (const { name, reason } of betterEngines(planned)) {
        output.note(`Engine ${name} would be faster, but is not here: ${reason}`);
      }
    };
    const outcome = await runToEnd({
      ...planned,
      directory,
      workPlace,
      retry,
      isQuiet,
      metrics,
      deadline,
      signal,
      onOpened: announce,
    });
    interrupt.dispose(); // all is stored: from here Ctrl-C just ends the program
    const figures = flags.plot
      ? await drawDefaultFigures({ directory, ...planned, state: outcome.state }, output.note)
      : [];
    const { state: _, ...result } = outcome;
    output.result(report(outcome, figures), { ...result, figures });
    if (outcome.totals.deadLetters > 0) process.exitCode = WITH_DEAD_LETTERS;
  } finally {
    if (metrics !== null) await lastScrape(metrics, flags, interrupt.signal);
    interrupt.dispose();
  }
}

/** Lets who scrapes see how the run ended, unless a person waits for us to end. */
async function lastScrape(
  { server }: RunMetrics,
  { metricsLinger }: AllFlags,
  interrupted: AbortSignal,
): Promise<void> {
  const isWatched = server.scrapes() > 0;
  if (isWatched) {
    // The timer also keeps the process alive, which the server does not. AbortSignal.timeout would not;
    // and inside of AbortSignal.any Node 20 may collect it before it fires.
    const patience = new AbortController();
    const callOff = systemClock.after(metricsLinger, () => patience.abort());
    await server.scraped(AbortSignal.any([interrupted, patience.signal]));
    callOff();
  }
  await server.stop();
}

/** @throws UsageError for an option that would do nothing where the tasks are computed. */
function refuseIdleFlags(self: Command, flags: AllFlags): void {
  const [names, why] =
    hasBroker(flags) && !flags.cluster
      ? [["threads", "task-timeout"], "is each worker's own: give it to ftle worker"]
      : [["priority", "lease", "keep"], "is for sweeps at a broker: give --nats, too"];
  const given = (name: string) => self.getOptionValueSource(name.replace("-t", "T")) === "cli";
  const idle = names.filter(given).map((name) => `--${name} ${why}`);
  if (idle.length > 0) throw new UsageError(idle.join("; "));
}

/** Where the flags say that tasks are computed. */
function placeOf(
  { plan }: PlannedSweep,
  flags: AllFlags,
  { output, metrics }: { output: Output; metrics: RunMetrics | null },
): { workPlace: WorkPlace; where: string } {
  const { threads, taskTimeout: taskTimeoutMs, priority, lease: leaseMs, keep = false } = flags;
  const onNotice = (line: string) => output.warn(line);
  if (hasBroker(flags) && !flags.cluster) {
    const broker = brokerOptions(flags, "coordinator");
    const workPlace = natsWork({ broker, priority, leaseMs, keep, metrics, onNotice });
    return { workPlace, where: `workers at ${place(broker.url)}` };
  }
  refuseMissingEngine(plan.engine);
  if (!flags.cluster) {
    const workPlace = localWork({ threads, taskTimeoutMs, registry: metrics?.registry });
    return { workPlace, where: counted(threads, "thread") };
  }
  return {
    workPlace: clusterWork({ threads, taskTimeoutMs, metrics, onNotice }),
    where: `a cluster on this machine, ${counted(threads, "worker")} of one thread`,
  };
}

function headline({ sweep, plan }: PlannedSweep, directory: string, where: string): string {
  const cells = counted(plan.cells.length, "network");
  const points = plan.field === null ? "" : `, fields of ${plan.field.grid.points}² points`;
  return `${sweep.name}: ${cells}${points}, engine ${plan.engine}, ${where} → ${shownPath(directory)}`;
}

/** Engines that would have been taken if they were here. */
function betterEngines({ sweep, plan }: PlannedSweep) {
  return sweep.engine === "auto" ? missingBefore(plan.engine) : [];
}

function report(outcome: RunOutcome, figures: readonly string[]): string {
  const { directory, totals, tasksRun, seconds } = outcome;
  const { trained, diverged } = totals.cells;
  const lines = [
    `${counted(tasksRun, "task")} run in ${duration(seconds)}; ${integer(trained)} trained, ${integer(diverged)} diverged, ${counted(totals.fields.complete, "field")} complete.`,
    `Table   ${shownPath(directory, SUMMARY_CSV)}`,
    ...figures.map((path) => `Figure  ${path}`),
  ];
  if (totals.deadLetters > 0) {
    lines.push(
      `${counted(totals.deadLetters, "task")} given up; reasons in ${shownPath(directory, DEAD)}/. Once the cause is gone: ftle retry ${shellPath(directory)}`,
    );
  }
  return lines.join("\n");
}
