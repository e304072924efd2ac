/** Turns work into time: starts from rates measured at the start, and learns from finished tasks. */
export type TaskKind = "train" | "field";

/** Floating-point operations, as `shared/work.ts` counts them; or a rate: so many per second of one thread. */
export type Work = Readonly<Record<TaskKind, number>>;

export interface CostModel {
  /** Replaces the first measurement by other rates, e.g. those of workers that have joined. */
  expect(rates: Work): void;
  /** Estimated seconds of one thread. */
  seconds(work: Work): number;
  /** Learns from a finished task. */
  finished(kind: TaskKind, work: number, seconds: number): void;
}

/** How many seconds of finished tasks weigh as much as the first measurement. */
const PRIOR_SECONDS = 5;

/** The rate of each kind is (all work)/(all time), the first measurement counting as some seconds of it. */
export function costModel(measured: Work): CostModel {
  let prior = measured;
  const seen = { train: { work: 0, seconds: 0 }, field: { work: 0, seconds: 0 } };
  const secondsOf = (kind: TaskKind, work: number) => {
    const rate =
      (prior[kind] * PRIOR_SECONDS + seen[kind].work) / (PRIOR_SECONDS + seen[kind].seconds);
    return work / rate;
  };
  return {
    expect(rates) {
      prior = rates;
    },
    seconds: ({ train, field }) => secondsOf("train", train) + secondsOf("field", field),
    finished(kind, work, seconds) {
      seen[kind].work += work;
      seen[kind].seconds += seconds;
    },
  };
}
