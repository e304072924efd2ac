import type { RunningTask } from "../../shared/transport/transport.ts";
import type { CostModel, Load } from "../plan/cost.ts";
import { NO_WORK } from "../plan/cost.ts";
import type { Plan } from "../plan/plan.ts";
import type { StoreState } from "../store/scan.ts";
import { loadOf } from "./load.ts";
import type { RunEvent } from "./run.ts";
import { runningPace } from "./running-pace.ts";
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
  const whole = tally.left();
  const cost = (load: Load) => model.seconds(load.work) + model.overhead(load);
  let tasksDone = 0;
  let trained = 0;
  let diverged = 0;
  let dead = 0;
  let shown = 0; // corrected rates must not make progress go back
  const pace = runningPace();
  return {
    onEvent(event) {
      tally.onEvent(event);
      if (event.kind === "trained" && event.record.status === "trained") trained++;
      if (event.kind === "trained" && event.record.status === "diverged") diverged++;
      if (event.kind === "dead") dead++;
      if (event.kind !== "stored") return;
      tasksDone++;
      model.finished(loadOf(event.job), event.seconds);
    },
    report(running, elapsedSeconds) {
      const occupied = pace.look(running, elapsedSeconds);
      model.running(pace.pace());
      model.passed(elapsedSeconds, Math.max(0, threads() - occupied));
      const left = tally.left();
      let { work } = left;
      let longest = 0;
      for (const { task, progress } of running) {
        work = { ...work, [task.kind]: Math.max(0, work[task.kind] - progress * task.work) };
        const alone = { ...NO_WORK, [task.kind]: (1 - progress) * task.work };
        longest = Math.max(longest, model.seconds(alone));
      }
      const rest = { ...left, work };
      const wholeCost = cost(whole);
      if (wholeCost > 0) shown = Math.max(shown, Math.min(1, 1 - cost(rest) / wholeCost));
      return {
        tasksDone,
        tasksTotal: tasksDone + left.trainings + left.tiles + left.analyses,
        fraction: wholeCost === 0 ? 1 : shown,
        trained,
        diverged,
        dead,
        tasksPerSecond: tasksDone / Math.max(elapsedSeconds, 1e-3),
        etaSeconds: Math.max(model.duration(rest, threads()), longest),
      };
    },
  };
}
