import type { RunningTask } from "../../shared/transport/transport.ts";
import type { CostModel } from "../plan/cost.ts";
import type { Plan } from "../plan/plan.ts";
import type { StoreState } from "../store/scan.ts";
import type { RunEvent } from "./run.ts";
import { tallyOf } from "./tally.ts";

export interface ProgressReport {
  readonly tasksDone: number;
  readonly tasksTotal: number;
  /** Share of the work done, 0…1, running tasks included. */
  readonly fraction: number;
  readonly trained: number;
  readonly diverged: number;
  readonly dead: number;
  /** Results stored per second, since the start. */
  readonly tasksPerSecond: number;
  readonly etaSeconds: number;
}

/** Follows a run by its events. */
export interface Progress {
  onEvent(event: RunEvent): void;
  report(running: readonly RunningTask[], elapsedSeconds: number): ProgressReport;
}

interface Speed {
  readonly model: CostModel;
  /** How many tasks are computed at a time, at this moment. */
  threads(): number;
}

export function followRun(plan: Plan, state: StoreState, { model, threads }: Speed): Progress {
  const tally = tallyOf(plan, state);
  const whole = tally.left().work;
  let tasksDone = 0;
  let trained = 0;
  let diverged = 0;
  let dead = 0;
  let shown = 0; // corrected rates must not make progress go back
  return {
    onEvent(event) {
      tally.onEvent(event);
      if (event.kind === "trained" && event.record.status === "trained") trained++;
      if (event.kind === "trained" && event.record.status === "diverged") diverged++;
      if (event.kind === "dead") dead++;
      if (event.kind !== "stored") return;
      tasksDone++;
      const { kind, task } = event.job;
      model.finished(kind, task.work, event.seconds);
    },
    report(running, elapsedSeconds) {
      const { work, trainings, tiles } = tally.left();
      let rest = work;
      let longest = 0;
      for (const { task, progress } of running) {
        rest = { ...rest, [task.kind]: Math.max(0, rest[task.kind] - progress * task.work) };
        const alone = { train: 0, field: 0, [task.kind]: (1 - progress) * task.work };
        longest = Math.max(longest, model.seconds(alone));
      }
      const seconds = model.seconds(rest);
      const wholeSeconds = model.seconds(whole);
      shown = Math.max(shown, Math.min(1, 1 - seconds / wholeSeconds));
      return {
        tasksDone,
        tasksTotal: tasksDone + trainings + tiles,
        fraction: wholeSeconds === 0 ? 1 : shown,
        trained,
        diverged,
        dead,
        tasksPerSecond: tasksDone / Math.max(elapsedSeconds, 1e-3),
        etaSeconds: Math.max(seconds / threads(), longest),
      };
    },
  };
}
