/** How a thread's work is stopped: first it is asked to stop, then it is terminated. */
import type { Progress } from "../tasks/progress.ts";

/** A thread that has not stopped this long after it was asked is terminated. */
const TERMINATE_AFTER_MS = 1_000;

export interface ThreadStop {
  /** The shared memory by which the thread is asked to stop. */
  readonly progress: Progress;
  /** Why the thread is being stopped; null while it is not. */
  reason: Error | null;
  /** Aborted to terminate the thread. */
  readonly force: AbortController;
  /** Runs from the request to stop until the termination. */
  timer: NodeJS.Timeout | undefined;
}

export function threadStop(progress: Progress): ThreadStop {
  return { progress, reason: null, force: new AbortController(), timer: undefined };
}

/** Stops the thread. If it is already being stopped, the first reason stays. */
export function stopThread(stop: ThreadStop, reason: Error): void {
  if (stop.reason !== null) return;
  stop.reason = reason;
  stop.progress.stop();
  stop.timer = setTimeout(() => stop.force.abort(), TERMINATE_AFTER_MS);
}

/** To be called when the thread's work has ended. */
export function cancelTermination(stop: ThreadStop): void {
  clearTimeout(stop.timer);
}
