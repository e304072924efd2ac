/** What the metrics of one run of a sweep keep, and how the exported numbers are computed from it. */
import type { RunningTask } from "../../shared/transport/transport.ts";
import type { Load, TaskKind } from "../plan/cost.ts";
import { TASK_KINDS } from "../plan/cost.ts";
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
  const remaining = tasksOf(left);
  const leased = leasedTasks(seen.running, remaining);
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
      pending: byKind((kind) => remaining[kind] - leased[kind]),
      leased,
      done: tasksOf(stored),
      dead: tally.dead(),
    },
    kinds: kindsOf(plan),
    cells: tally.cells(),
    retries,
    late,
    damaged,
    queue: seen.queue,
  };
}

/** Leased tasks by kind; at most those that remain, because the transport's report may be older than the latest results. */
function leasedTasks(running: readonly RunningTask[], left: ByKind): ByKind {
  return byKind((kind) =>
    Math.min(left[kind], running.filter(({ task }) => task.kind === kind).length),
  );
}

/** Sweeps without analyses export none. */
export function kindsOf({ analyses }: Pick<Plan, "analyses">): readonly TaskKind[] {
  return TASK_KINDS.filter((kind) => kind !== "analysis" || analyses.length > 0);
}

function tasksOf({ trainings, tiles, analyses }: Load): ByKind {
  return { train: trainings, field: tiles, analysis: analyses };
}

function byKind(value: (kind: TaskKind) => number): ByKind {
  return { train: value("train"), field: value("field"), analysis: value("analysis") };
}

function total({ train, field, analysis }: ByKind): number {
  return train + field + analysis;
}
