/** Turns work into time: starts from rates measured at the start, and learns from finished tasks. */
export type TaskKind = "train" | "field";

/** Floating-point operations, as `shared/work.ts` counts them; or so many a second of one thread. */
export type Work = Readonly<Record<TaskKind, number>>;

export interface CostModel {
  /** Estimated seconds of one thread. */
  seconds(work: Work): number;
  /** Learns from a finished task. */
  finished(kind: TaskKind, work: number, seconds: number): void;
}

/** How many seconds of finished tasks weigh as much as the first measurement. */
const PRIOR_SECONDS = 5;

/** The rate of each kind is (all work)/(all time), the first measurement counting as some seconds of it. */
export function costModel(measured: Work): CostModel {
  const seen = {
    train: { work: measured.train * PRIOR_SECONDS, seconds: PRIOR_SECONDS },
    field: { work: measured.field * PRIOR_SECONDS, seconds: PRIOR_SECONDS },
  };
  const secondsOf = (kind: TaskKind, work: number) => (work * seen[kind].seconds) / seen[kind].work;
  return {
    seconds: ({ train, field }) => secondsOf("train", train) + secondsOf("field", field),
    finished(kind, work, seconds) {
      seen[kind].work += work;
      seen[kind].seconds += seconds;
    },
  };
}
