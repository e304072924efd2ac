import { errorRecord, InvalidTaskError } from "../../shared/errors.ts";
import type { ThreadReply } from "../tasks/thread-messages.ts";
import { computeTask } from "./compute-task.ts";
import { computedBy } from "./computed.ts";
import { endWithoutResult, endWithReply } from "./end-lease.ts";
import type { ReadyTask } from "./ready-task.ts";
import type { TaskRun } from "./task-run.ts";
import { beginRun, keepLease, superviseThread } from "./task-run.ts";
import type { TaskOutcome } from "./worker-event.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Computes a leased task.
 * @param waitSeconds how long the thread waited for the task.
 * @returns what ends the lease, with a result, with the reason of a failure, or by giving the task back; the thread
 * is free meanwhile. It throws if the transport cannot end the lease.
 */
export async function computeLease(
  worker: WorkerState,
  ready: ReadyTask,
  waitSeconds: number,
): Promise<() => Promise<void>> {
  const run = beginRun(ready);
  const { reported } = run;
  worker.onEvent({ kind: "leased", run: reported, waitSeconds });
  const stopKeeping = keepLease(worker, run);
  const endSupervision = superviseThread(worker, run);
  let computed: Computation;
  try {
    computed = { reply: await computeTask(worker, run) };
  } catch (error) {
    computed = { reply: null, error };
  }
  endSupervision();
  run.stopClock();
  const { reply } = computed;
  if (reply !== null && reply.kind !== "error") worker.pace.note(reported.task, reply.seconds);
  worker.onEvent({ kind: "computed", run: reported });
  return async () => {
    let outcome: TaskOutcome = "failed";
    try {
      outcome = await endRun(worker, run, computed);
    } finally {
      const computed = computedBy(reported, reply);
      worker.onEvent({ kind: "ended", run: reported, outcome, computed });
      stopKeeping();
    }
  };
}

/** A thread's reply, or the error with which it ended. */
type Computation =
  | { readonly reply: ThreadReply }
  | { readonly reply: null; readonly error: unknown };

async function endRun(
  worker: WorkerState,
  { lease, stop }: TaskRun,
  computed: Computation,
): Promise<TaskOutcome> {
  try {
    if (computed.reply === null) throw computed.error;
    const { reply } = computed;
    const isDone = reply.kind !== "error"; // then it counts, even if a reason to stop came meanwhile
    return isDone || stop.reason === null
      ? await endWithReply(worker, lease, reply)
      : await endWithoutResult(worker, lease, stop.reason);
  } catch (error) {
    if (error instanceof InvalidTaskError && stop.reason === null) {
      await lease.reject(errorRecord(error));
      return "invalid";
    }
    return await endWithoutResult(worker, lease, stop.reason ?? error);
  }
}
