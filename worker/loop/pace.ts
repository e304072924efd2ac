import type { Task } from "../../shared/messages.ts";

/** How long tasks take on this worker, by those that it has computed. */
export interface Pace {
  /** @param seconds how long the task took in its thread. */
  note(task: Task, seconds: number): void;
  /** The seconds that a task will take; null before one of its kind was computed. */
  expect(task: Task): number | null;
}

/** How much the last task counts beside those before it. */
const NEWEST = 0.5;

/** A heuristic: time grows with the estimated operations, at a rate for each kind of task. */
export function createPace(): Pace {
  const rates = new Map<Task["kind"], number>(); // seconds an operation
  return {
    note({ kind, work }, seconds) {
      if (work <= 0) return;
      const rate = seconds / work;
      const before = rates.get(kind) ?? rate;
      rates.set(kind, NEWEST * rate + (1 - NEWEST) * before);
    },
    expect({ kind, work }) {
      const rate = rates.get(kind);
      return rate === undefined ? null : rate * work;
    },
  };
}
