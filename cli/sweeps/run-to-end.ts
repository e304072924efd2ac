import type { SweepMetrics } from "../../coordinator/metrics/sweep-metrics.ts";
import { sweepMetrics } from "../../coordinator/metrics/sweep-metrics.ts";
import type { SweepState } from "../../coordinator/metrics/sweep-numbers.ts";
import { costModel } from "../../coordinator/plan/cost.ts";
import type { Plan } from "../../coordinator/plan/plan.ts";
import { writeSummary } from "../../coordinator/results/summary.ts";
import { isOfWorkers } from "../../coordinator/run/analyses.ts";
import { remainingLoad } from "../../coordinator/run/load.ts";
import { followRun } from "../../coordinator/run/progress.ts";
import type { RunEvent } from "../../coordinator/run/run.ts";
import { runSweep } from "../../coordinator/run/run-sweep.ts";
import { fieldRecord } from "../../coordinator/store/cell-record.ts";
import type { Totals } from "../../coordinator/store/cell-status.ts";
import { totals } from "../../coordinator/store/cell-status.ts";
import { examineSummary } from "../../coordinator/store/check-summary.ts";
import type { StoreIndex } from "../../coordinator/store/index-file.ts";
import { indexText, isAllKnown, openIndex } from "../../coordinator/store/index-file.ts";
import { INDEX, SWEEP_YAML } from "../../coordinator/store/layout.ts";
import type { Aside } from "../../coordinator/store/put-aside.ts";
import type { StoreState } from "../../coordinator/store/scan.ts";
import { scanStore, withoutLetters } from "../../coordinator/store/scan.ts";
import type { Store } from "../../coordinator/store/store.ts";
import { openStore, readStoredSweep } from "../../coordinator/store/store.ts";
import { BrokerResetError, CancelledError, StoreError, UsageError } from "../../shared/errors.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import type { Work, WorkPlace } from "../places/place.ts";
import { noWork } from "../places/place.ts";
import type { Display } from "../terminal/display.ts";
import { startDisplay } from "../terminal/display.ts";
import { cellName, counted } from "../terminal/format.ts";
import { tasksIn } from "../terminal/tasks.ts";
import { ensureContent, ensureNetworks, fetchContents } from "./ensure-content.ts";
import type { PlannedSweep } from "./stored-sweep.ts";

export interface RunToEndOptions extends PlannedSweep {
  readonly directory: string;
  readonly workPlace: WorkPlace;
  /** Where the files of its data set are, if they have moved. */
  readonly data?: string | undefined;
  /** Whether tasks are computed by workers at a broker, which may have what files held. */
  readonly hasBroker?: boolean;
  /** Run the tasks given up once more. */
  readonly retry: boolean;
  readonly isQuiet: boolean;
  readonly metrics?: RunMetrics | null;
  /** When the sweep should be complete, in milliseconds since the epoch; for metrics. */
  readonly deadline?: number | undefined;
  readonly signal: AbortSignal;
  /** Calls back when the directory is ours: from here on the run is no longer refused. */
  onOpened?(): void;
  /** Calls back when the directory's `sweep.yaml` was changed, and not for this run: with its present name. */
  onChanged?(file: string): void;
}

export interface RunOutcome {
  readonly directory: string;
  readonly state: StoreState;
  readonly totals: Totals;
  /** Results stored by this run. */
  readonly tasksRun: number;
  /** Files that were found damaged, and have been restored. */
  readonly damaged: readonly string[];
  readonly seconds: number;
}

/**
 * Brings a sweep to its end, wherever its tasks are computed. Whatever the directory already holds is kept.
 *
 * @throws LockedError, StoreError, or the signal's reason; what is stored by then stays.
 */
export async function runToEnd(options: RunToEndOptions): Promise<RunOutcome> {
  const { directory, plan, sweep, source, metrics = null, deadline = null } = options;
  const start = performance.now();
  const store = await openStore(directory, {
    signal: options.signal,
    onWait(holder) {
      if (options.isQuiet) return;
      const line = `${directory} was in use by ${holder}; waiting a minute to see whether it still is`;
      process.stderr.write(`${line}\n`);
    },
  });
  try {
    options.onOpened?.();
    const before = await readStoredSweep(directory);
    const kept = await store.putSweep(sweep, { source, engine: plan.engine });
    const { changed = null, damaged: ofSweep = [] } = before ?? {};
    if (changed !== null && changed !== source) options.onChanged?.(kept ?? SWEEP_YAML);
    const summary = await examineSummary(directory);
    const signal = AbortSignal.any([options.signal, store.lost]);
    let index: StoreIndex | null = openIndex(directory, plan);
    let state = await scanStore(plan, { directory, thorough: true, index, signal });
    await store.putAside(state.damaged);
    const aside = store.aside.map(({ path }) => path);
    const damaged = [...new Set([...aside, ...ofSweep, ...summary.damaged, ...state.damaged])];
    const lacking = await keepContent(store, options, state);
    if (lacking !== null && options.hasBroker !== true) throw lacking;
    const again = options.retry ? state.dead : new Set<string>();
    for (const task of again) await store.dropDeadLetter(task);
    if (options.retry) state = withoutLetters(state);
    const { name } = sweep;
    const exported =
      metrics &&
      sweepMetrics(metrics.coordinator, {
        ...{ name, plan, state, deadline, damaged: damaged.length },
      });
    metrics?.started();
    if (damaged.length + again.size > 0 || !isSettled(plan, state)) {
      if (!isAllKnown(index, plan)) await putIndex(store, indexText(index, plan, null));
      index = null; // large; the run needs none
    }
    let tasksRun = 0;
    try {
      if (index !== null) await close({ plan, state, store }, index, summary.digest);
      else {
        const found = { store, state, damaged, again, exported, lacking };
        tasksRun = await work({ ...options, signal }, found);
        const changed = openIndex(directory, plan);
        state = await scanStore(plan, { directory, thorough: false, index: changed });
        await close({ plan, state, store }, changed, null);
      }
    } catch (error) {
      exported?.end(endOf(error, options.signal));
      throw error;
    }
    exported?.end("complete", state);
    const seconds = (performance.now() - start) / 1000;
    return { directory, state, totals: totals(plan, state), tasksRun, damaged, seconds };
  } finally {
    await store.close();
  }
}

/**
 * Stores what the data set is made of, and imported networks. Only trainings and analyses need it: without any, it may be
 * missing.
 * @returns what is wrong if its files are needed and not to be found.
 */
async function keepContent(
  store: Store,
  { plan, sweep, content, networks, data: moved, retry }: RunToEndOptions,
  state: StoreState,
): Promise<UsageError | null> {
  try {
    const source = { sweep, content, networks, moved, damaged: state.damaged };
    await ensureContent(store, source);
    await ensureNetworks(store, source);
  } catch (error) {
    const left = remainingLoad(plan, retry ? withoutLetters(state) : state);
    if (!(error instanceof UsageError)) throw error;
    return left.trainings + left.analyses > 0 ? error : null;
  }
  return null;
}

/** Whether a run has nothing to do in the store. */
function isSettled(plan: Plan, state: StoreState): boolean {
  if (tasksIn(remainingLoad(plan, state)) > 0) return false;
  return state.cells.every(({ record, fields }) =>
    fields.every(
      ({ snapshot, metadata, isStale, tiles }) =>
        metadata.size === 0 &&
        !isStale &&
        (tiles.includes(0) || fieldRecord(record!, snapshot, plan.field!.id) !== undefined),
    ),
  );
}

interface Finished {
  readonly plan: Plan;
  readonly state: StoreState;
  readonly store: Store;
}

/** Writes the summary and the index, unless those that are there hold. @param digest of the summary that is there. */
async function close(
  { plan, state, store }: Finished,
  index: StoreIndex,
  digest: string | null,
): Promise<void> {
  const { sweep } = plan;
  const isKnown = state.dead.size === 0 && isAllKnown(index, plan);
  const isSummed =
    digest !== null && index.summary?.csv === digest && index.summary.sweep === sweep;
  if (isKnown && isSummed) return;
  const csv = await writeSummary(plan, state, store);
  await putIndex(store, indexText(index, plan, { sweep, csv }));
}

/** A store does without an index that cannot be written. */
async function putIndex(store: Store, content: Uint8Array): Promise<void> {
  try {
    await store.putFiles([[INDEX, content]]);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/** The state of a run that stopped before its sweep's end. */
function endOf(error: unknown, signal: AbortSignal): SweepState {
  if (error instanceof CancelledError) return "cancelled";
  return signal.aborted && error === signal.reason ? "interrupted" : "failed";
}

interface Found {
  readonly store: Store;
  readonly state: StoreState;
  readonly damaged: readonly string[];
  /** Tasks that were given up, and are to be run once more. */
  readonly again: ReadonlySet<string>;
  /** Where it is exported. */
  readonly exported: SweepMetrics | null;
  /** What is wrong if what files held is neither in the store nor where they were. */
  readonly lacking: UsageError | null;
}

/** Whether there is more to do than what is computed beside the store. */
function hasWorkForWorkers(plan: Plan, state: StoreState): boolean {
  const { trainings, tiles } = remainingLoad(plan, state);
  if (trainings + tiles > 0) return true;
  return state.cells.some(({ analyses }) =>
    analyses.some(({ analysis, isMissing }) => isMissing && isOfWorkers(analysis)),
  );
}

/** @returns how many results were stored. */
async function work(options: RunToEndOptions, found: Found): Promise<number> {
  const { plan, sweep, signal, workPlace, directory } = options;
  const isIdle = !hasWorkForWorkers(plan, found.state); // but there may be something to repair
  const place = isIdle ? noWork : workPlace;
  const toRun = { sweep: plan.sweep, name: sweep.name, engine: plan.engine };
  let tasksRun = 0;
  for (let state = found.state; ; ) {
    try {
      await place(toRun, signal, (work) =>
        workOn(options, { ...found, state }, { ...work, onStored: () => tasksRun++ }),
      );
      return tasksRun;
    } catch (error) {
      if (!(error instanceof BrokerResetError)) throw error;
      process.stderr.write(`${error.message}; going on from there\n`);
      state = await scanStore(plan, { directory, thorough: false, signal });
    }
  }
}

async function workOn(
  { plan, isQuiet }: RunToEndOptions,
  { store, state, damaged, again, exported, lacking }: Found,
  work: Work & { onStored(): void },
): Promise<void> {
  const { transport, signal, threads } = work;
  if (lacking !== null) await fetchContents(store, { plan, transport, signal, lacking });
  const { sweep, engine } = plan;
  const model = costModel(work.rates() ?? { train: 1e9, field: 1e9 });
  const progress = followRun(plan, state, { model, threads });
  const start = performance.now();
  const display = startDisplay({
    plan,
    progress,
    running: () => transport.running(sweep),
    note: work.note,
    stream: process.stderr,
    isQuiet,
  });
  const telling = setInterval(async () => {
    const rates = work.rates();
    if (rates !== null) model.expect(rates);
    const running = await transport.running(sweep).catch(() => []);
    const report = progress.report(running, (performance.now() - start) / 1000);
    work.report(report);
    const { etaSeconds } = report;
    exported?.look({ running, etaSeconds, isPaused: work.isPaused(), queue: work.queue() });
  }, TELL_MS);
  try {
    reportDamage(damaged, store.aside, display);
    for (const id of again) await transport.forget({ id, sweep, engine });
    await runSweep({
      plan,
      store,
      state,
      transport,
      // One that runs, one that the thread has fetched, and one on its way: none waits for a distant broker.
      flight: () => Math.max(LEAST_FLIGHT, 3 * threads()),
      onFlight: work.onThreads,
      signal,
      onEvent(event) {
        progress.onEvent(event);
        exported?.onEvent(event);
        if (event.kind === "stored") work.onStored();
        tell(event, display);
      },
    });
  } finally {
    clearInterval(telling);
    display.stop();
  }
}

/** How often a run publishes its progress. */
const TELL_MS = 2_000;
/** Enough that workers find something when they come. */
const LEAST_FLIGHT = 2;
const MOST_NAMED = 20;

function reportDamage(damaged: readonly string[], aside: readonly Aside[], display: Display): void {
  if (damaged.length === 0) return;
  const names = new Map(aside.map(({ path, to }) => [path, ` (not ours; now ${to})`]));
  display.warn(`found ${counted(damaged.length, "damaged file")}; restoring what they held:`);
  for (const path of damaged.slice(0, MOST_NAMED)) {
    display.warn(`  ${path}${names.get(path) ?? ""}`);
  }
  if (damaged.length > MOST_NAMED) display.warn(`  … and ${damaged.length - MOST_NAMED} more`);
}

function tell(event: RunEvent, display: Display): void {
  if (event.kind === "trained" && event.record.status === "diverged") {
    display.line(`${cellName(event.cell.point)} diverged: ${event.record.reason}`);
  }
  if (event.kind === "dead") {
    const { task, attempts, reason } = event.letter;
    display.warn(`gave up ${task} after ${counted(attempts, "attempt")}: ${reason.message}`);
  }
}
