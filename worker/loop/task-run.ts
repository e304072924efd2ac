/** One task from its lease to its end, and its supervision meanwhile. */
import { TaskTimeoutError } from "../../shared/errors.ts";
import type { Progress } from "../tasks/progress.ts";
import { progressOver } from "../tasks/progress.ts";
import type { ReadyTask } from "./ready-task.ts";
import { stopwatch } from "./stopwatch.ts";
import type { ThreadStop } from "./thread-stop.ts";
import { cancelTermination, stopThread, threadStop } from "./thread-stop.ts";
import type { WorkerRun } from "./worker-event.ts";
import type { WorkerState } from "./worker-state.ts";

export interface TaskRun extends ReadyTask {
  /** The part that events report. */
  readonly reported: WorkerRun;
  /** The memory that it shares with its thread: how far the task is, and whether to stop. */
  readonly progress: Progress;
  /** Whether, why and how its thread is stopped. */
  readonly stop: ThreadStop;
  /** Its thread is free: from now on the run reports the time that it took. */
  stopClock(): void;
}

export function beginRun({ lease, input }: ReadyTask): TaskRun {
  const progress = progressOver();
  const sinceStart = stopwatch();
  let took: number | null = null;
  const seconds = () => took ?? sinceStart();
  const reported = { task: lease.task, isResumed: false, progress: progress.get, seconds };
  const stopClock = () => {
    took = sinceStart();
  };
  return { lease, input, reported, progress, stop: threadStop(progress), stopClock };
}

/** Extends the lease at intervals. @returns a function that ends this. */
export function keepLease(
  { extendEveryMs }: WorkerState,
  { lease, progress }: TaskRun,
): () => void {
  const beat = setInterval(() => {
    lease.extend(progress.get()).catch(() => {}); // a lost lease aborts its signal
  }, extendEveryMs);
  return () => clearInterval(beat);
}

/**
 * Stops the thread when the lease is lost, when the worker stops, or when the task takes too long.
 * @returns a function that ends the supervision, to be called when the thread's work has ended.
 */
export function superviseThread(worker: WorkerState, { lease, stop }: TaskRun): () => void {
  const { clock, taskTimeoutMs, stopRunning } = worker;
  const cancelTimeout = Number.isFinite(taskTimeoutMs)
    ? clock.after(taskTimeoutMs, () => stopThread(stop, new TaskTimeoutError(taskTimeoutMs)))
    : () => {};
  const onLost = () => stopThread(stop, new Error("the lease has ended"));
  const onStop = () => stopThread(stop, new Error("the worker stops"));
  lease.signal.addEventListener("abort", onLost);
  stopRunning.signal.addEventListener("abort", onStop);
  return () => {
    cancelTimeout();
    cancelTermination(stop);
    lease.signal.removeEventListener("abort", onLost);
    stopRunning.signal.removeEventListener("abort", onStop);
  };
}
