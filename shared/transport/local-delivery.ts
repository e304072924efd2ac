/** How a worker gets a task, and what it can do with it. */
import { parseResult } from "../messages.ts";
import { extendLease, startLease } from "./local-lease.ts";
import { settle } from "./local-outcomes.ts";
import { takeNext } from "./local-queue.ts";
import { rejectTask, retryTask, returnTask } from "./local-retry.ts";
import type { LocalState, OpenTask } from "./local-state.ts";
import type { Lease } from "./transport.ts";

/** Waits for a task. @throws when the signal aborts or the transport stops. */
export async function nextLease(
  state: LocalState,
  { worker, engine, signal }: { worker: string; engine: string; signal: AbortSignal },
): Promise<Lease> {
  for (;;) {
    signal.throwIfAborted();
    if (state.isStopped) throw new Error("the transport has stopped");
    const entry = takeNext(state, engine);
    if (entry !== undefined) return deliver(state, entry, worker);
    await state.taskQueued.wait(signal);
  }
}

function deliver(state: LocalState, entry: OpenTask, worker: string): Lease {
  entry.deliveries++;
  const silentSeconds = state.policy.leaseMs / 1000;
  const lease = startLease(state, entry, {
    worker,
    onExpired() {
      const message = `worker ${worker} was silent for ${silentSeconds} s`;
      retryTask(state, entry, { reason: { name: "LeaseExpired", message }, worker });
    },
  });
  const isHeld = () => entry.lease === lease;
  return {
    task: entry.task,
    attempt: entry.deliveries,
    signal: lease.ended.signal,
    checkpoint: async () => entry.checkpoint,
    async saveCheckpoint(bytes) {
      if (isHeld()) entry.checkpoint = bytes;
    },
    async extend(progress) {
      if (isHeld()) extendLease(state, lease, progress);
    },
    async complete(result) {
      if (state.open.get(entry.task.id) !== entry) return "exists";
      settle(state, entry, { kind: "result", result: parseResult(result) });
      return "stored";
    },
    async fail(reason) {
      if (isHeld()) retryTask(state, entry, { reason, worker });
    },
    async giveBack() {
      if (isHeld()) returnTask(state, entry);
    },
    async reject(reason) {
      if (isHeld()) rejectTask(state, entry, { reason, worker });
    },
  };
}
