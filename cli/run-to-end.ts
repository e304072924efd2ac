import { costModel } from "../coordinator/cost.ts";
import { followRun, remainingLoad } from "../coordinator/progress.ts";
import type { RunEvent } from "../coordinator/run-sweep.ts";
import { runSweep } from "../coordinator/run-sweep.ts";
import { damagedSummary } from "../coordinator/store/check-summary.ts";
import type { StoreState } from "../coordinator/store/scan.ts";
import { scanStore } from "../coordinator/store/scan.ts";
import type { Store } from "../coordinator/store/store.ts";
import { openStore, readStoredSweep } from "../coordinator/store/store.ts";
import type { Totals } from "../coordinator/summary.ts";
import { totals, writeSummary } from "../coordinator/summary.ts";
import { measureRates } from "../worker/rates.ts";
import type { Display } from "./display.ts";
import { startDisplay } from "./display.ts";
import { cellName, counted } from "./format.ts";
import { withLocalWorker } from "./local-work.ts";
import type { PlannedSweep } from "./stored-sweep.ts";
import { refuseMissingEngine } from "./stored-sweep.ts";

export interface RunToEndOptions extends PlannedSweep {
  readonly directory: string;
  readonly threads: number;
  readonly taskTimeoutMs: number;
  /** Run the tasks given up once more. */
  readonly retry: boolean;
  readonly isQuiet: boolean;
  readonly signal: AbortSignal;
}

export interface RunOutcome {
  readonly directory: string;
  readonly state: StoreState;
  readonly totals: Totals;
  /** Results stored by this run. */
  readonly tasksRun: number;
  /** Files that were found damaged, and have been made again. */
  readonly damaged: readonly string[];
  readonly seconds: number;
}

/**
 * Brings a sweep to its end on this machine: coordinator and worker in one process, joined by the
 * local transport. Whatever the directory already holds is kept.
 *
 * @throws LockedError, StoreError, or the signal's reason; what is stored by then stays.
 */
export async function runToEnd(options: RunToEndOptions): Promise<RunOutcome> {
  const { directory, plan, sweep, source } = options;
  const start = performance.now();
  refuseMissingEngine(plan.engine);
  const store = await openStore(directory);
  try {
    const damaged = [...((await readStoredSweep(directory))?.damaged ?? [])];
    await store.putSweep(sweep, { source, engine: plan.engine });
    damaged.push(...(await damagedSummary(directory)));
    const signal = AbortSignal.any([options.signal, store.lost]);
    let state = await scanStore(plan, { directory, thorough: true, signal });
    damaged.push(...state.damaged);
    if (options.retry) {
      for (const task of state.dead) await store.dropDeadLetter(task);
      state = { ...state, dead: new Set() };
    }
    const tasksRun = await work({ ...options, signal }, store, state, damaged);
    state = await scanStore(plan, { directory, thorough: false });
    await writeSummary(plan, state, store);
    const seconds = (performance.now() - start) / 1000;
    return { directory, state, totals: totals(plan, state), tasksRun, damaged, seconds };
  } finally {
    await store.close();
  }
}

async function work(
  { plan, threads, taskTimeoutMs, isQuiet, signal }: RunToEndOptions,
  store: Store,
  state: StoreState,
  damaged: readonly string[],
): Promise<number> {
  const { engine } = plan;
  const { trainings, tiles } = remainingLoad(plan, state);
  const isIdle = trainings + tiles === 0;
  const model = costModel(isIdle ? { train: 1, field: 1 } : measureRates(engine));
  const progress = followRun(plan, state, model, threads);
  let tasksRun = 0;
  await withLocalWorker({ engine, threads, taskTimeoutMs, signal }, async (transport, signal) => {
    const display = startDisplay({ plan, progress, transport, stream: process.stderr, isQuiet });
    try {
      reportDamage(damaged, display);
      await runSweep({
        plan,
        store,
        state,
        transport,
        // Each thread has a next task waiting, so that none idles while a result is stored.
        flight: () => 2 * threads,
        signal,
        onEvent(event) {
          progress.onEvent(event);
          if (event.kind === "stored") tasksRun++;
          tell(event, display);
        },
      });
    } finally {
      display.stop();
    }
  });
  return tasksRun;
}

const MOST_NAMED = 20;

function reportDamage(damaged: readonly string[], display: Display): void {
  if (damaged.length === 0) return;
  display.warn(`found ${counted(damaged.length, "damaged file")}; making again what they held:`);
  for (const path of damaged.slice(0, MOST_NAMED)) display.warn(`  ${path}`);
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
