import { DEAD, SUMMARY_CSV } from "../../coordinator/store/layout.ts";
import { systemClock } from "../../shared/clock.ts";
import { moduleLoader } from "../../shared/module-loader.ts";
import { missingBefore } from "../../worker/engines/registry.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { hasBroker } from "../terminal/broker-options.ts";
import { counted, duration, integer, shellPath, shownPath } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import type { CoordinatorMetricsFlags } from "../terminal/metrics-options.ts";
import type { Output } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";
import { drawDefaultFigures } from "./draw.ts";
import type { PlaceFlags } from "./place-of.ts";
import { placeOf } from "./place-of.ts";
import type { RunOutcome } from "./run-to-end.ts";
import { runToEnd } from "./run-to-end.ts";
import type { PlannedSweep } from "./stored-sweep.ts";
import { changedHint } from "./stored-sweep.ts";

/** The flags of commands that run a sweep. */
export type AllFlags = PlaceFlags & CoordinatorMetricsFlags;

/** Exit code of a sweep that is complete except for tasks given up. */
const WITH_DEAD_LETTERS = 3;

type RunMetricsModule = typeof import("../metrics/run-metrics.ts");

const load = moduleLoader(import.meta.url);

/** Runs a sweep to its end as the flags say, draws its figures, and prints the outcome. */
export async function runAndReport(
  directory: string,
  planned: PlannedSweep,
  flags: AllFlags & { readonly retry: boolean },
): Promise<void> {
  const { quiet: isQuiet = false, deadline, retry, data } = flags;
  const output = createOutput(flags);
  const interrupt = onInterrupt(
    `interrupted; every finished task is stored. Go on with: ftle resume ${shellPath(directory)}`,
  );
  const { signal } = interrupt;
  const metrics = await startMetrics(flags);
  try {
    const { workPlace, where } = await placeOf(planned, flags, { metrics, onNotice: output.warn });
    const outcome = await runToEnd({
      ...{ ...planned, directory, workPlace, retry, isQuiet, metrics, deadline, signal, data },
      hasBroker: hasBroker(flags),
      onOpened: () => announce({ ...planned, directory, where, metrics }, output),
      onChanged: (file) => output.warn(changedHint(directory, file)),
    });
    interrupt.dispose(); // all is stored: from here Ctrl-C just ends the program
    const { state, ...result } = outcome;
    const stored = { directory, ...planned, state };
    const figures = flags.plot ? await drawDefaultFigures(stored, output.note) : [];
    output.result(report(outcome, figures), { ...result, figures });
    if (outcome.totals.deadLetters > 0) process.exitCode = WITH_DEAD_LETTERS;
  } finally {
    if (metrics !== null) await lastScrape(metrics, flags, signal);
    interrupt.dispose();
  }
}

/** Loaded only by runs that export something. */
async function startMetrics({ metrics: address }: AllFlags): Promise<RunMetrics | null> {
  if (!address) return null;
  const { startRunMetrics } = await load<RunMetricsModule>("../metrics/run-metrics.ts");
  return await startRunMetrics(address);
}

/** Waits until a scraper has seen how the run ended, if there is one and the user does not interrupt. */
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
    const cancelTimer = systemClock.after(metricsLinger, () => patience.abort());
    await server.scraped(AbortSignal.any([interrupted, patience.signal]));
    cancelTimer();
  }
  await server.stop();
}

interface Headline extends PlannedSweep {
  readonly directory: string;
  /** Where the tasks are computed, in words. */
  readonly where: string;
  readonly metrics: RunMetrics | null;
}

function announce({ sweep, plan, directory, where, metrics }: Headline, { note }: Output): void {
  const cells = counted(plan.cells.length, "network");
  const points = plan.field === null ? "" : `, fields of ${plan.field.grid.points}² points`;
  note(
    `${sweep.name}: ${cells}${points}, engine ${plan.engine}, ${where} → ${shownPath(directory)}`,
  );
  if (metrics !== null) note(`metrics at http://${metrics.server.place}/metrics`);
  const better = sweep.engine === "auto" ? missingBefore(plan.engine) : [];
  for (const { name, reason } of better) {
    note(`Engine ${name} would be faster, but is not here: ${reason}`);
  }
}

function report(outcome: RunOutcome, figures: readonly string[]): string {
  const { directory, totals, tasksRun, seconds } = outcome;
  const { trained, diverged } = totals.cells;
  const { stored } = totals.analyses;
  const analysed = stored === 0 ? "" : `, ${counted(stored, "analysis", "analyses")} stored`;
  const lines = [
    `${counted(tasksRun, "task")} run in ${duration(seconds)}; ${integer(trained)} trained, ${integer(diverged)} diverged, ${counted(totals.fields.complete, "field")} complete${analysed}.`,
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
