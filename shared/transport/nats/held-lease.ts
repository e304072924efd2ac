/** How a worker's lease begins, is extended, and ends. */
import { inProgress } from "./delivered-message.ts";
import { CANCEL_SUBJECT } from "./names.ts";
import type { Delivery, HeldLease, WorkerState } from "./worker-state.ts";

/** A lease is extended so many times in its duration at most, however often the worker asks for it. */
const EXTENSIONS = 3;

export function startLease(state: WorkerState, delivery: Delivery): HeldLease {
  const { task, attempt } = delivery;
  const now = state.clock.now();
  const lease: HeldLease = {
    delivery,
    report: { id: task.id, sweep: task.sweep, attempt, progress: 0, since: now },
    isHeld: true,
    isCancelled: false,
    lost: new AbortController(),
    extendedAt: now,
    stopTimer() {},
  };
  state.leases.add(lease);
  restartTimer(state, lease);
  return lease;
}

/** Records the progress and, when it is time, starts the lease's time again. @throws if the broker does not confirm. */
export async function extendLease(
  state: WorkerState,
  lease: HeldLease,
  progress: number,
): Promise<void> {
  const { broker, clock } = state;
  const { task, message, leaseMs } = lease.delivery;
  lease.report.progress = progress;
  const now = clock.now();
  if (!lease.isHeld || now - lease.extendedAt < leaseMs / EXTENSIONS) return;
  lease.extendedAt = now;
  // Waits for the confirmation, so that the lease here never outlives the broker's.
  await inProgress(broker, message);
  if (!lease.isHeld) return;
  restartTimer(state, lease);
  state.onEvent({ kind: "extended", task: task.id });
}

/** Ends a lease whose task is handed in or given back; the signal does not abort. */
export function releaseLease({ leases }: WorkerState, lease: HeldLease): void {
  lease.isHeld = false;
  lease.stopTimer();
  leases.delete(lease);
}

/** Has the leases of cancelled sweeps end. @returns what stops it. */
export function followCancellations(state: WorkerState): () => void {
  const subscription = state.broker.nc.subscribe(`${CANCEL_SUBJECT}.*`, {
    callback(_, { subject }) {
      const sweep = subject.slice(CANCEL_SUBJECT.length + 1);
      for (const lease of state.leases) {
        if (lease.report.sweep === sweep) cancelLease(state, lease);
      }
    },
  });
  return () => subscription.unsubscribe();
}

function cancelLease(state: WorkerState, lease: HeldLease): void {
  lease.isCancelled = true;
  loseLease(state, lease, "its sweep was cancelled");
}

/** Ends a lease against the worker's will, and aborts the work on its task. */
function loseLease(state: WorkerState, lease: HeldLease, why: string): void {
  if (!lease.isHeld) return;
  releaseLease(state, lease);
  lease.lost.abort(new Error(`lease of ${lease.delivery.task.id} has ended: ${why}`));
}

function restartTimer(state: WorkerState, lease: HeldLease): void {
  lease.stopTimer();
  lease.stopTimer = state.clock.after(lease.delivery.leaseMs, () =>
    loseLease(state, lease, "it could not be extended"),
  );
}
