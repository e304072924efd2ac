/** How the work of a thread is stopped: by asking it, and if that does not help, by force. */
import type { Progress } from "../tasks/progress.ts";

/** A thread that still computes so long after it was asked to stop is terminated. */
const TERMINATE_AFTER_MS = 1_000;

export interface ThreadStop {
  /** The memory in which the thread is asked to stop. */
  readonly progress: Progress;
  /** The first reason to stop; null if there was none. */
  reason: Error | null;
  /** Aborted to terminate the thread. */
  readonly force: AbortController;
  /** Waits for the time to do so, once the thread was asked. */
  timer: NodeJS.Timeout | undefined;
}

export function threadStop(progress: Progress): ThreadStop {
  return { progress, reason: null, force: new AbortController(), timer: undefined };
}

/** Stops the thread, unless it is being stopped for another reason already. */
export function stopThread(stop: ThreadStop, reason: Error): void {
  if (stop.reason !== null) return;
  stop.reason = reason;
  stop.progress.stop();
  stop.timer = setTimeout(() => stop.force.abort(), TERMINATE_AFTER_MS);
}

/** To be called when the thread's work has ended: there is nothing left to terminate. */
export function withholdForce(stop: ThreadStop): void {
  clearTimeout(stop.timer);
}
