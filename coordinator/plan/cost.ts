/** Turns work into time: starts from rates measured at the start, and learns from finished tasks. */
import type { Counts, Overhead } from "./overhead.ts";
import { overheadEstimate } from "./overhead.ts";

export type TaskKind = (typeof TASK_KINDS)[number];

export const TASK_KINDS = ["train", "field", "analysis"] as const;

/** Floating-point operations, as `shared/work.ts` counts them; or a rate: so many per second of one thread. */
export type Work = Readonly<Record<TaskKind, number>>;

export const NO_WORK: Work = { train: 0, field: 0, analysis: 0 };

/** Work per second of one thread, of the kinds that are measured beforehand. */
export type MeasuredRates = Pick<Work, "train" | "field">;

/** Analyses send samples through networks as fields do. */
function ratesOf(measured: MeasuredRates): Work {
  return { ...measured, analysis: measured.field };
}

/** How many tasks and how much work; of a whole sweep, of the rest of one, or of one task. */
export interface Load extends Counts {
  readonly work: Work;
}

/** Work that was done, and for how many seconds of one thread. */
export interface Pace {
  readonly work: Work;
  readonly seconds: Work;
}

export interface CostModel {
  /** Replaces the first measurement by other rates, e.g. those of workers that have joined. */
  expect(rates: MeasuredRates): void;
  /** Estimated seconds of one thread for the arithmetic. */
  seconds(work: Work): number;
  /** Estimated seconds for all else: handing out the tasks and storing their results, one after another. */
  overhead(counts: Counts): number;
  /** Estimated seconds of a run with so many threads; infinite without any, if something is left to compute. */
  duration(load: Load, threads: number): number;
  /** Learns from a finished task, which a thread computed for so long. */
  finished(task: Load, seconds: number): void;
  /** Learns from the tasks that run; what it learned from those before is replaced. */
  running(pace: Pace): void;
  /** Learns from the time since the run began; `threads`: how many could take tasks since the last call. */
  passed(elapsedSeconds: number, threads: number): void;
}

/** How many seconds of finished tasks weigh as much as the first measurement. */
const PRIOR_SECONDS = 5;

/** The rate of each kind is (all work)/(all time), the first measurement counting as some seconds of it. */
export function costModel(
  measured: MeasuredRates,
  overhead: Overhead = overheadEstimate(),
): CostModel {
  let prior = ratesOf(measured);
  const seen = { work: { ...NO_WORK }, seconds: { ...NO_WORK } };
  let running: Pace = { work: NO_WORK, seconds: NO_WORK };
  const secondsOf = (kind: TaskKind, work: number) => {
    const done = prior[kind] * PRIOR_SECONDS + seen.work[kind] + running.work[kind];
    const took = PRIOR_SECONDS + seen.seconds[kind] + running.seconds[kind];
    return (work * took) / done;
  };
  const seconds = (work: Work) =>
    TASK_KINDS.reduce((sum, kind) => sum + secondsOf(kind, work[kind]), 0);
  return {
    expect(rates) {
      prior = ratesOf(rates);
    },
    seconds,
    overhead: overhead.seconds,
    duration(load, threads) {
      const arithmetic = seconds(load.work);
      return (arithmetic === 0 ? 0 : arithmetic / threads) + overhead.seconds(load);
    },
    finished(task, threadSeconds) {
      const kind = task.trainings > 0 ? "train" : task.tiles > 0 ? "field" : "analysis";
      seen.work[kind] += task.work[kind];
      seen.seconds[kind] += threadSeconds;
      overhead.finished(task, threadSeconds);
    },
    running(pace) {
      running = pace;
    },
    passed: overhead.passed,
  };
}
