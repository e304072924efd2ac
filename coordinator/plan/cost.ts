/** Turns work into time: starts from rates measured at the start, and learns from finished tasks. */
import type { Counts, Overhead } from "./overhead.ts";
import { overheadEstimate } from "./overhead.ts";

export type TaskKind = "train" | "field";

/** Floating-point operations, as `shared/work.ts` counts them; or a rate: so many per second of one thread. */
export type Work = Readonly<Record<TaskKind, number>>;

/** How many tasks and how much work; of a whole sweep, of the rest of one, or of one task. */
export interface Load extends Counts {
  readonly work: Work;
}

export interface CostModel {
  /** Replaces the first measurement by other rates, e.g. those of workers that have joined. */
  expect(rates: Work): void;
  /** Estimated seconds of one thread for the arithmetic. */
  seconds(work: Work): number;
  /** Estimated seconds for all else: handing out the tasks and storing their results, one after another. */
  overhead(counts: Counts): number;
  /** Estimated seconds of a run with so many threads; infinite without any, if something is left to compute. */
  duration(load: Load, threads: number): number;
  /** Learns from a finished task, which a thread computed for so long. */
  finished(task: Load, seconds: number): void;
  /** Learns from the time since the run began; `threads`: how many could take tasks since the last call. */
  passed(elapsedSeconds: number, threads: number): void;
}

/** How many seconds of finished tasks weigh as much as the first measurement. */
const PRIOR_SECONDS = 5;

/** The rate of each kind is (all work)/(all time), the first measurement counting as some seconds of it. */
export function costModel(measured: Work, overhead: Overhead = overheadEstimate()): CostModel {
  let prior = measured;
  const seen = { train: { work: 0, seconds: 0 }, field: { work: 0, seconds: 0 } };
  const secondsOf = (kind: TaskKind, work: number) => {
    const rate =
      (prior[kind] * PRIOR_SECONDS + seen[kind].work) / (PRIOR_SECONDS + seen[kind].seconds);
    return work / rate;
  };
  const seconds = ({ train, field }: Work) => secondsOf("train", train) + secondsOf("field", field);
  return {
    expect(rates) {
      prior = rates;
    },
    seconds,
    overhead: overhead.seconds,
    duration(load, threads) {
      const arithmetic = seconds(load.work);
      return (arithmetic === 0 ? 0 : arithmetic / threads) + overhead.seconds(load);
    },
    finished(task, threadSeconds) {
      const kind = task.trainings > 0 ? "train" : "field";
      seen[kind].work += task.work[kind];
      seen[kind].seconds += threadSeconds;
      overhead.finished(task, threadSeconds);
    },
    passed: overhead.passed,
  };
}
