import type { RunningTask } from "../../shared/transport/transport.ts";
import type { Pace } from "../plan/cost.ts";
import { NO_WORK } from "../plan/cost.ts";

/** What running tasks show of the threads, from one look at them to the next. */
export interface RunningPace {
  /** Takes the tasks that run now. @returns how many of them ran at the last look, too. */
  look(running: readonly RunningTask[], elapsedSeconds: number): number;
  /** What the tasks that run have computed since each was first seen, up to its last news. */
  pace(): Pace;
}

export function runningPace(): RunningPace {
  let followed = new Map<string, Followed>();
  return {
    look(running, elapsedSeconds) {
      const before = followed;
      followed = new Map();
      let long = 0;
      for (const { task, attempt, progress } of running) {
        const key = `${task.id} ${attempt}`;
        const now = { seconds: elapsedSeconds, progress };
        const known = before.get(key);
        const { first = now, last = now } = known ?? {};
        // Reports of workers are some seconds old: time counts only between two of them.
        followed.set(key, { task, first, last: progress > last.progress ? now : last });
        if (known !== undefined) long++;
      }
      return long;
    },
    pace() {
      const work = { ...NO_WORK };
      const seconds = { ...NO_WORK };
      for (const { task, first, last } of followed.values()) {
        work[task.kind] += (last.progress - first.progress) * task.work;
        seconds[task.kind] += Math.max(0, last.seconds - first.seconds);
      }
      return { work, seconds };
    },
  };
}

interface Followed {
  readonly task: RunningTask["task"];
  readonly first: News;
  readonly last: News;
}

/** How far a task was, and when; in seconds since the run began. */
interface News {
  readonly seconds: number;
  readonly progress: number;
}
