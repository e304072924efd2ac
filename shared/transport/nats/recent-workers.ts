/** The workers and their tasks, as their last heartbeats report them. */
import type { RunningTask, WorkerStatus } from "../transport.ts";
import type { CoordinatorState, WorkersReading } from "./coordinator-state.ts";
import { readWorkers } from "./workers.ts";

/** Pause between two readings of the heartbeats, as a multiple of the time that one takes. */
const PAUSE_FACTOR = 20;

/**
 * Callers ask often, but heartbeats change every few seconds only: callers share a reading for a while. With
 * thousands of workers a reading takes long; the pause grows with it, which limits its share of the time.
 */
export function recentWorkers(state: CoordinatorState): Promise<WorkerStatus[]> {
  const start = performance.now();
  if (state.workers !== null && start < state.workers.staleAt) return state.workers.found;
  const found = readWorkers(state.broker);
  const reading: WorkersReading = { found, staleAt: Number.POSITIVE_INFINITY };
  const done = () => {
    const end = performance.now();
    reading.staleAt = end + Math.max(state.checkMs / 2, PAUSE_FACTOR * (end - start));
  };
  found.then(done, done);
  state.workers = reading;
  return found;
}

/** The tasks of a sweep that were published here and are leased, longest running first. */
export async function runningTasks(state: CoordinatorState, sweep: string): Promise<RunningTask[]> {
  const running: RunningTask[] = [];
  for (const { name: worker, running: tasks } of await recentWorkers(state)) {
    for (const { id, sweep: sweepOfTask, attempt, progress, since } of tasks) {
      const task = state.open.get(id);
      if (sweepOfTask !== sweep || task === undefined) continue;
      running.push({ task, worker, attempt, progress, since });
    }
  }
  return running.sort((a, b) => a.since - b.since);
}
