import type { ReadyTask } from "./ready-task.ts";
import type { WorkerState } from "./worker-state.ts";

/** A task that waits for its thread. */
export interface HeldTask {
  /** Ends the wait; null if the task was given back or its lease lost. */
  take(): Promise<ReadyTask | null>;
}

/** A task that has waited for its thread so long is given back: an idle worker may have it. */
const HOLD_MS = 2_000;

/**
 * Extends the lease while the task waits for its thread.
 * @param signal gives the task back when it aborts.
 */
export function holdTask(worker: WorkerState, ready: ReadyTask, signal: AbortSignal): HeldTask {
  const { lease } = ready;
  const { clock, extendEveryMs } = worker;
  let returned: Promise<void> | null = null;
  const beat = setInterval(() => {
    lease.extend(0).catch(() => {}); // a lost lease aborts its signal
  }, extendEveryMs);
  const cancel = clock.after(HOLD_MS, giveBack);
  signal.addEventListener("abort", giveBack);
  if (signal.aborted) giveBack();

  function end(): void {
    clearInterval(beat);
    cancel();
    signal.removeEventListener("abort", giveBack);
  }

  function giveBack(): void {
    end();
    returned = lease.giveBack().catch(() => {}); // then its lease ends in time
  }

  return {
    async take() {
      end();
      await returned;
      return returned === null && !lease.signal.aborted ? ready : null;
    },
  };
}
