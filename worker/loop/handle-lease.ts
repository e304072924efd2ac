import { errorRecord, InvalidTaskError } from "../../shared/errors.ts";
import type { Lease } from "../../shared/transport/transport.ts";
import type { ThreadReply } from "../tasks/thread-messages.ts";
import { computeTask } from "./compute-task.ts";
import { computedBy } from "./computed.ts";
import { endWithoutResult, endWithReply } from "./end-lease.ts";
import { beginRun, keepLease, superviseThread } from "./task-run.ts";
import type { TaskOutcome } from "./worker-event.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Computes a leased task and ends the lease: with a result, with the reason of a failure, or by giving the task back.
 * @param waitSeconds how long the thread waited for the task.
 * @throws if the transport cannot end the lease.
 */
export async function handleLease(
  worker: WorkerState,
  lease: Lease,
  waitSeconds: number,
): Promise<void> {
  const run = beginRun(lease);
  const { reported, stop } = run;
  worker.onEvent({ kind: "leased", run: reported, waitSeconds });
  const stopKeeping = keepLease(worker, run);
  const endSupervision = superviseThread(worker, run);
  let outcome: TaskOutcome = "failed";
  let reply: ThreadReply | null = null;
  try {
    reply = await computeTask(worker, run).finally(endSupervision);
    const isDone = reply.kind !== "error"; // then it counts, even if a reason to stop came meanwhile
    outcome =
      isDone || stop.reason === null
        ? await endWithReply(worker, lease, reply)
        : await endWithoutResult(worker, lease, stop.reason);
  } catch (error) {
    if (error instanceof InvalidTaskError && stop.reason === null) {
      outcome = "invalid";
      await lease.reject(errorRecord(error));
    } else outcome = await endWithoutResult(worker, lease, stop.reason ?? error);
  } finally {
    const computed = computedBy(reported, reply);
    worker.onEvent({ kind: "ended", run: reported, outcome, computed });
    stopKeeping();
  }
}
