import { errorRecord, InvalidTaskError } from "../../shared/errors.ts";
import type { Lease } from "../../shared/transport/transport.ts";
import type { ThreadReply } from "../tasks/thread-messages.ts";
import { computeTask } from "./compute-task.ts";
import { computedBy } from "./computed.ts";
import { endWithoutResult, endWithReply } from "./end-lease.ts";
import { beginRun, superviseRun } from "./task-run.ts";
import type { TaskOutcome } from "./worker-event.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Computes a leased task and ends its lease: with a result, with a reason or by giving it back.
 * @param waitSeconds how long a thread was free before.
 * @throws if the transport can do none of these.
 */
export async function handleLease(
  worker: WorkerState,
  lease: Lease,
  waitSeconds: number,
): Promise<void> {
  const run = beginRun(lease);
  const { told, stop } = run;
  worker.onEvent({ kind: "leased", run: told, waitSeconds });
  const endSupervision = superviseRun(worker, run);
  let outcome: TaskOutcome = "failed";
  let reply: ThreadReply | null = null;
  try {
    reply = await computeTask(worker, run);
    const isDone = reply.kind !== "error"; // then it counts, even if there is a reason to stop by now
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
    worker.onEvent({ kind: "ended", run: told, outcome, computed: computedBy(told, reply) });
    endSupervision();
  }
}
