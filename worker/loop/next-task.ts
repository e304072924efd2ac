/** The task that a thread computes next: requested before the thread is free (docs/decisions/0018). */
import type { Task } from "../../shared/messages.ts";
import type { HeldTask } from "./held-task.ts";
import { holdTask } from "./held-task.ts";
import type { ReadyTask } from "./ready-task.ts";
import { leaseTask } from "./ready-task.ts";
import type { WorkerState } from "./worker-state.ts";

/** How long before the end of a task the next is requested: enough for two round trips to a distant broker. */
const AHEAD_MS = 1_000;

export interface NextTask {
  /**
   * Waits for the task, now that the thread is free for it.
   * @throws the signal's reason when it aborts; the task is then given back.
   */
  take(): Promise<ReadyTask>;
}

/**
 * @param current what the thread computes meanwhile; null if nothing.
 * @param signal aborts when the thread is to take no more tasks.
 */
export function nextTask(worker: WorkerState, current: Task | null, signal: AbortSignal): NextTask {
  let coming: Promise<HeldTask> | null = null;
  const begin = () => {
    if (signal.aborted || hasSuspects(worker)) return;
    coming = leaseTask(worker, signal).then((ready) => holdTask(worker, ready, signal));
    coming.catch(() => {}); // `take` throws it
  };
  const cancel = whenAlmostDone(worker, current, begin);
  return {
    async take() {
      cancel();
      const held = await coming;
      const ready = (await held?.take()) ?? null;
      return ready ?? (await leaseTask(worker, signal));
    },
  };
}

/** Calls `begin` when the task has little time left, by what earlier ones took. @returns what cancels that. */
function whenAlmostDone(
  { clock, pace }: WorkerState,
  current: Task | null,
  begin: () => void,
): () => void {
  const seconds = current && pace.expect(current);
  if (seconds === null) return () => {}; // it may take hours
  const waitMs = seconds * 1000 - AHEAD_MS;
  if (waitMs > 0) return clock.after(waitMs, begin);
  begin();
  return () => {};
}

/** Whether a task is here that may kill the process, and with it the deliveries of all tasks that it has. */
function hasSuspects({ suspects }: WorkerState): boolean {
  return suspects.activeCount + suspects.pendingCount > 0;
}
