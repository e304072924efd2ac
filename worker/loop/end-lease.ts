/** How a lease ends: with its thread's reply, or without a result. */
import { errorRecord, TaskTimeoutError } from "../../shared/errors.ts";
import type { Lease } from "../../shared/transport/transport.ts";
import type { ThreadReply } from "../tasks/thread-messages.ts";
import { taskResult } from "./task-result.ts";
import type { TaskOutcome } from "./worker-event.ts";
import type { WorkerState } from "./worker-state.ts";

/** Hands in the result, or reports the error with which the thread ended. */
export async function endWithReply(
  worker: WorkerState,
  lease: Lease,
  reply: ThreadReply,
): Promise<TaskOutcome> {
  if (reply.kind === "error") {
    const isInvalid = reply.error.name === "InvalidTaskError";
    await (isInvalid ? lease.reject(reply.error) : lease.fail(reply.error));
    return isInvalid ? "invalid" : "failed";
  }
  const isFirst = (await lease.complete(await taskResult(worker, lease, reply))) === "stored";
  return isFirst ? "done" : "late";
}

/**
 * Ends a lease whose work was stopped or failed: gives the task back if the worker stops, otherwise reports the
 * failure.
 * @param reason why the work was stopped, or the error with which it failed.
 */
export async function endWithoutResult(
  worker: WorkerState,
  lease: Lease,
  reason: unknown,
): Promise<TaskOutcome> {
  if (worker.stopRunning.signal.aborted) {
    await lease.giveBack();
    return "returned";
  }
  const isLost = lease.signal.aborted;
  await lease.fail(errorRecord(reason));
  if (reason instanceof TaskTimeoutError) return "timeout";
  return isLost ? "lost" : "failed";
}
