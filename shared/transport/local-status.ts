/** What can be asked about a sweep's tasks and about the workers. */

import type { LocalLease, LocalState, OpenTask } from "./local-state.ts";
import type { Depth, RunningTask, WorkerStatus } from "./transport.ts";

export function depthOf({ open }: LocalState, sweep: string): Depth {
  const all = [...open.values()].filter(({ task }) => task.sweep === sweep);
  const inFlight = all.filter(({ lease }) => lease !== null).length;
  return { waiting: all.length - inFlight, inFlight };
}

/** The sweep's leased tasks, longest running first. */
export function runningTasks(state: LocalState, sweep: string): RunningTask[] {
  return leased(state)
    .filter(({ task }) => task.sweep === sweep)
    .map(({ task, deliveries: attempt, lease: { worker, progress, since } }) => {
      return { task, worker, attempt, progress, since };
    })
    .sort((a, b) => a.since - b.since);
}

export function workerStatuses(state: LocalState): WorkerStatus[] {
  const all = leased(state);
  return [...state.workers.values()].map((worker) => {
    const running = all
      .filter(({ lease }) => lease.worker === worker.name)
      .map(({ task: { id, sweep }, deliveries: attempt, lease: { progress, since } }) => {
        return { id, sweep, attempt, progress, since };
      });
    return { ...worker, seen: state.clock.now(), running };
  });
}

type LeasedTask = OpenTask & { readonly lease: LocalLease };

function leased({ open }: LocalState): LeasedTask[] {
  return [...open.values()].filter((entry): entry is LeasedTask => entry.lease !== null);
}
