/** What happens to a task that its worker did not finish: back-off, dead letter, or return to the queue. */
import type { DeadLetter } from "../messages.ts";
import { endLease } from "./local-lease.ts";
import { settle } from "./local-outcomes.ts";
import { enqueue } from "./local-queue.ts";
import type { LocalState, OpenTask } from "./local-state.ts";

type Failure = Pick<DeadLetter, "reason" | "worker">;

/** Queues a task again after its back-off; after the last delivery allowed, makes it a dead letter. */
export function retryTask(state: LocalState, entry: OpenTask, failure: Failure): void {
  const { policy, clock } = state;
  endLease(entry);
  if (entry.deliveries >= policy.maxDeliveries) {
    rejectTask(state, entry, failure);
    return;
  }
  entry.stopBackoff = clock.after(policy.backoffMs(entry.deliveries), () => enqueue(state, entry));
}

/** Makes a task a dead letter at once. */
export function rejectTask(state: LocalState, entry: OpenTask, { reason, worker }: Failure): void {
  const { id, sweep, cell, kind } = entry.task;
  const attempts = entry.deliveries;
  settle(state, entry, {
    kind: "dead",
    letter: { task: id, sweep, cell, kind, reason, worker, attempts },
  });
}

/** Queues a task again at once; its last delivery does not count. */
export function returnTask(state: LocalState, entry: OpenTask): void {
  endLease(entry);
  entry.deliveries--;
  enqueue(state, entry);
}
