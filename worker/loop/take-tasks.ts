import { computeLease } from "./handle-lease.ts";
import { nextTask } from "./next-task.ts";
import { stopwatch } from "./stopwatch.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Takes one task after another and handles each until its lease ends. Resolves when the worker is to take no more
 * tasks. One such loop runs for each thread: while the thread computes a task, the result of the last one is handed
 * in and the next task comes.
 * @throws if the transport fails.
 */
export async function takeTasks(worker: WorkerState): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([worker.stopTaking.signal, failed.signal]);
  let ending = Promise.resolve();
  let next = nextTask(worker, null, signal);
  try {
    for (;;) {
      const waited = stopwatch();
      const ready = await next.take();
      next = nextTask(worker, ready.lease.task, signal);
      const end = await computeLease(worker, ready, waited());
      await ending; // one result at a time, so that they do not pile up before a slow broker
      ending = end().catch((error) => failed.abort(error));
    }
  } catch (error) {
    if (!signal.aborted) failed.abort(error);
  }
  await ending;
  if (failed.signal.aborted) throw failed.signal.reason;
}
