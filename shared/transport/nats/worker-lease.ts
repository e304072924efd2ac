/** What a worker can do with a task that it has leased. */
import type { Lease } from "../transport.ts";
import { ackUnconfirmed } from "./delivered-message.ts";
import { extendLease, releaseLease, startLease } from "./held-lease.ts";
import { handInResult } from "./result-hand-in.ts";
import { rejectTask, retryTask, returnTask } from "./task-retry.ts";
import type { Delivery, WorkerState } from "./worker-state.ts";

export function leaseOf(state: WorkerState, delivery: Delivery): Lease {
  const { task, attempt, message, taskState } = delivery;
  const lease = startLease(state, delivery);
  return {
    task,
    attempt,
    signal: lease.lost.signal,
    checkpoint: () => taskState.checkpoint(),
    async saveCheckpoint(bytes) {
      if (lease.isHeld) await taskState.saveCheckpoint(bytes);
    },
    extend: (progress) => extendLease(state, lease, progress),
    async complete(result) {
      if (lease.isCancelled) return "exists";
      const outcome = await handInResult(state, task, result);
      ackUnconfirmed(state.broker, message); // if it is lost, the next delivery finds the result
      releaseLease(state, lease);
      return outcome;
    },
    async fail(reason) {
      if (!lease.isHeld) return;
      releaseLease(state, lease);
      await retryTask(state, delivery, reason);
    },
    async giveBack() {
      if (!lease.isHeld) return;
      releaseLease(state, lease);
      await returnTask(state, delivery);
    },
    async reject(reason) {
      if (!lease.isHeld) return;
      releaseLease(state, lease);
      await rejectTask(state, delivery, reason);
    },
  };
}
