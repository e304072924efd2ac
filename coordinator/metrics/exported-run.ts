/** What the metrics of one run of a sweep keep, and how the exported numbers are computed from it. */
import type { RunningTask } from "../../shared/transport/transport.ts";
import type { Plan } from "../plan/plan.ts";
import type { ByKind, Tally } from "../run/tally.ts";
import type { SweepNumbers, SweepState } from "./sweep-numbers.ts";

/** What events do not say: what the transport reports, and the estimated time to the end. */
export interface SweepLook {
  /** The tasks that workers are computing. */
  readonly running: readonly RunningTask[];
  /** Estimated time to the end; NaN when it cannot be estimated. */
  readonly etaSeconds: number;
  readonly isPaused: boolean;
  readonly queue: SweepNumbers["queue"];
}

/** Times are in seconds since the epoch. */
export interface ExportedRun {
  readonly plan: Plan;
  /** Files found damaged when the run began. */
  readonly damaged: number;
  /** null for none. */
  readonly deadline: number | null;
  readonly start: number;
  /** What is stored and what remains; events keep it up to date. */
  tally: Tally;
  /** When a result was last stored; before the first, `start`. */
  lastProgress: number;
  /** Attempts beyond the first, of tasks that have ended. */
  retries: number;
  /** Outcomes that were ignored because their task already had one. */
  late: number;
  /** How the run ended; null while it runs. */
  ended: SweepState | null;
  /** The latest report of the transport. */
  seen: SweepLook;
  /** When that was received. */
  seenAt: number;
}

/** Nothing runs, nothing is queued, and no end can be predicted. */
export const NOTHING_SEEN: SweepLook = {
  running: [],
  etaSeconds: Number.NaN,
  isPaused: false,
  queue: null,
};

export function sweepNumbers(run: ExportedRun): SweepNumbers {
  const { plan, tally, seen, start, lastProgress, deadline, retries, late, damaged } = run;
  const left = tally.left();
  const stored = tally.stored();
  const leased = leasedTasks(seen.running, { train: left.trainings, field: left.tiles });
  const completion = run.seenAt + seen.etaSeconds;
  return {
    id: plan.sweep,
    engine: plan.engine,
    state: run.ended ?? (seen.isPaused ? "paused" : "running"),
    start,
    lastProgress,
    predictedCompletion: Number.isFinite(completion) ? completion : null,
    deadline,
    operations: total(stored.work) + total(left.work),
    operationsDone: total(stored.work),
    tasks: {
      pending: { train: left.trainings - leased.train, field: left.tiles - leased.field },
      leased,
      done: { train: stored.trainings, field: stored.tiles },
      dead: tally.dead(),
    },
    cells: tally.cells(),
    retries,
    late,
    damaged,
    queue: seen.queue,
  };
}

/** Leased tasks by kind; at most those that remain, because the transport's report may be older than the latest results. */
function leasedTasks(running: readonly RunningTask[], left: ByKind): ByKind {
  const count = (kind: "train" | "field") =>
    Math.min(left[kind], running.filter(({ task }) => task.kind === kind).length);
  return { train: count("train"), field: count("field") };
}

function total({ train, field }: ByKind): number {
  return train + field;
}
