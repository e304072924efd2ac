import type { RunningTask } from "../../shared/transport/transport.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunEvent } from "../run/run.ts";
import { tallyOf } from "../run/tally.ts";
import type { CellRecord, FieldRecord } from "../store/cell-record.ts";
import { fieldRecord, testAccuracy } from "../store/cell-record.ts";
import type { StoreState } from "../store/scan.ts";
import type { CoordinatorMetrics, SweepNumbers, SweepState } from "./coordinator-metrics.ts";

/** Exports one run of a sweep. */
export interface SweepMetrics {
  onEvent(event: RunEvent): void;
  /** What only a look from outside can tell. */
  look(seen: SweepLook): void;
  /** @param state what the store holds at the end, if the run came there. */
  end(how: SweepState, state?: StoreState): void;
}

export interface SweepLook {
  readonly running: readonly RunningTask[];
  readonly etaSeconds: number;
  readonly isPaused: boolean;
  readonly queue: SweepNumbers["queue"];
}

export interface FollowOptions {
  readonly name: string;
  readonly plan: Plan;
  /** What the store had when the run began. */
  readonly state: StoreState;
  readonly damaged: number;
  /** Milliseconds since the epoch; null for none. */
  readonly deadline: number | null;
  now?(): number;
}

export function sweepMetrics(
  metrics: CoordinatorMetrics,
  { name, plan, state, damaged, deadline, now = Date.now }: FollowOptions,
): SweepMetrics {
  const seconds = () => now() / 1000;
  const start = seconds();
  let tally = tallyOf(plan, state);
  let lastProgress = start;
  let retries = 0;
  let late = 0;
  let ended: SweepState | null = null;
  let seen: SweepLook = { running: [], etaSeconds: Number.NaN, isPaused: false, queue: null };
  let seenAt = start;

  metrics.follow(name, numbers);
  for (const { record, fields } of state.cells) {
    if (record !== null) noteAccuracy(record);
    for (const { snapshot } of fields) {
      const field = record && plan.field && fieldRecord(record, snapshot, plan.field.id);
      if (field) noteField(field);
    }
  }

  function noteAccuracy(record: CellRecord): void {
    const accuracy = testAccuracy(record);
    if (record.status === "trained" && Number.isFinite(accuracy)) metrics.accuracy(name, accuracy);
  }

  function noteField({ snapshot, statistics: { lambda1Mean } }: FieldRecord): void {
    if (snapshot === plan.snapshots.at(-1) && lambda1Mean !== null) {
      metrics.lambda1(name, lambda1Mean);
    }
  }

  function numbers(): SweepNumbers {
    const left = tally.left();
    const stored = tally.stored();
    const work = ({ train, field }: { train: number; field: number }) => train + field;
    const leased = (kind: "train" | "field", most: number) =>
      Math.min(most, seen.running.filter(({ task }) => task.kind === kind).length);
    const running = { train: leased("train", left.trainings), field: leased("field", left.tiles) };
    const eta = seenAt + seen.etaSeconds;
    return {
      id: plan.sweep,
      engine: plan.engine,
      state: ended ?? (seen.isPaused ? "paused" : "running"),
      start,
      lastProgress,
      predictedCompletion: Number.isFinite(eta) ? eta : null,
      deadline: deadline === null ? null : deadline / 1000,
      operations: work(stored.work) + work(left.work),
      operationsDone: work(stored.work),
      tasks: {
        pending: { train: left.trainings - running.train, field: left.tiles - running.field },
        leased: running,
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

  return {
    onEvent(event) {
      tally.onEvent(event);
      metrics.onEvent(name, event);
      if (event.kind === "stored") lastProgress = seconds();
      if (event.kind === "stored") retries += event.attempt - 1;
      if (event.kind === "dead") retries += event.letter.attempts - 1;
      if (event.kind === "late") late++;
      if (event.kind === "trained") noteAccuracy(event.record);
      if (event.kind === "mapped") noteField(event.field);
    },
    look(now) {
      seen = now;
      seenAt = seconds();
    },
    end(how, final) {
      ended = how;
      seen = { ...seen, running: [], queue: null, etaSeconds: Number.NaN };
      seenAt = seconds();
      if (final !== undefined) tally = tallyOf(plan, final);
    },
  };
}
