/** Keeps the exported numbers of one run of a sweep up to date. */
import type { Plan } from "../plan/plan.ts";
import type { RunEvent } from "../run/run.ts";
import { tallyOf } from "../run/tally.ts";
import type { CellRecord, FieldRecord } from "../store/cell-record.ts";
import { fieldRecord, testAccuracy } from "../store/cell-record.ts";
import type { StoreState } from "../store/scan.ts";
import type { CoordinatorMetrics } from "./coordinator-metrics.ts";
import type { ExportedRun, SweepLook } from "./exported-run.ts";
import { NOTHING_SEEN, sweepNumbers } from "./exported-run.ts";
import type { SweepState } from "./sweep-numbers.ts";

/** Exports one run of a sweep. */
export interface SweepMetrics {
  onEvent(event: RunEvent): void;
  /** Records what events do not report. */
  look(seen: SweepLook): void;
  /** @param state what the store holds at the end, if it was read then. */
  end(how: SweepState, state?: StoreState): void;
}

export interface FollowOptions {
  /** The sweep's name, its label. */
  readonly name: string;
  readonly plan: Plan;
  /** What the store held when the run began. */
  readonly state: StoreState;
  /** Files found damaged then. */
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
  const run: ExportedRun = {
    plan,
    damaged,
    deadline: deadline === null ? null : deadline / 1000,
    start,
    tally: tallyOf(plan, state),
    lastProgress: start,
    retries: 0,
    late: 0,
    ended: null,
    seen: NOTHING_SEEN,
    seenAt: start,
  };
  const cells: CellTarget = { metrics, name, plan };
  metrics.follow(name, () => sweepNumbers(run));
  addStored(cells, state);
  return {
    onEvent(event) {
      noteEvent(run, event, seconds());
      metrics.onEvent(name, event);
      if (event.kind === "trained") addAccuracy(cells, event.record);
      if (event.kind === "mapped") addLambda1(cells, event.field);
    },
    look(seen) {
      run.seen = seen;
      run.seenAt = seconds();
    },
    end(how, final) {
      run.ended = how;
      run.seen = { ...NOTHING_SEEN, isPaused: run.seen.isPaused };
      run.seenAt = seconds();
      if (final !== undefined) run.tally = tallyOf(plan, final);
    },
  };
}

/** @param seconds now. */
function noteEvent(run: ExportedRun, event: RunEvent, seconds: number): void {
  run.tally.onEvent(event);
  if (event.kind === "stored") run.lastProgress = seconds;
  if (event.kind === "stored") run.retries += event.attempt - 1;
  if (event.kind === "dead") run.retries += event.letter.attempts - 1;
  if (event.kind === "late") run.late++;
}

/** Where the results of a sweep's cells are added. */
interface CellTarget {
  readonly metrics: CoordinatorMetrics;
  readonly name: string;
  readonly plan: Plan;
}

/** Adds the cells and fields that the store already holds. */
function addStored(target: CellTarget, { cells }: StoreState): void {
  const { plan } = target;
  for (const { record, fields } of cells) {
    if (record !== null) addAccuracy(target, record);
    for (const { snapshot } of fields) {
      const field = record && plan.field && fieldRecord(record, snapshot, plan.field.id);
      if (field) addLambda1(target, field);
    }
  }
}

function addAccuracy({ metrics, name }: CellTarget, record: CellRecord): void {
  const accuracy = testAccuracy(record);
  if (record.status === "trained" && Number.isFinite(accuracy)) metrics.accuracy(name, accuracy);
}

function addLambda1({ metrics, name, plan }: CellTarget, field: FieldRecord): void {
  const { lambda1Mean } = field.statistics;
  if (field.snapshot !== plan.snapshots.at(-1) || lambda1Mean === null) return;
  metrics.lambda1(name, lambda1Mean);
}
