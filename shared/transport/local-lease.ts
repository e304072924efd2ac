/** How a lease within one process begins, is extended, and ends. */
import type { LocalLease, LocalState, OpenTask } from "./local-state.ts";

export function startLease(
  state: LocalState,
  entry: OpenTask,
  { worker, onExpired }: Pick<LocalLease, "worker" | "onExpired">,
): LocalLease {
  const lease: LocalLease = {
    worker,
    progress: 0,
    since: state.clock.now(),
    ended: new AbortController(),
    onExpired,
    stopTimer() {},
  };
  entry.lease = lease;
  restartTimer(state, lease);
  return lease;
}

/** Records the progress and starts the lease's time again. */
export function extendLease(state: LocalState, lease: LocalLease, progress: number): void {
  lease.progress = progress;
  restartTimer(state, lease);
}

/** Ends a task's lease, if it has one, and aborts the work on it. */
export function endLease(entry: OpenTask): void {
  const { lease } = entry;
  if (lease === null) return;
  lease.stopTimer();
  entry.lease = null;
  lease.ended.abort(ENDED);
}

/** One for all: recording a stack for each task would cost as much as its queue. */
const ENDED = new Error("the lease has ended");

function restartTimer({ clock, policy }: LocalState, lease: LocalLease): void {
  lease.stopTimer();
  lease.stopTimer = clock.after(policy.leaseMs, () => lease.onExpired());
}
