import type { Lease } from "../../shared/transport/transport.ts";
import type { WorkerState } from "./worker-state.ts";

/** A leased task, and what its thread needs to compute it. */
export interface ReadyTask {
  readonly lease: Lease;
  /** The weights of a field or an analysis; the last checkpoint of a training, or null. Rejects if there are no such weights. */
  readonly input: Promise<Uint8Array | null>;
}

/** Waits for a task, and begins to fetch its input. @throws the signal's reason when it aborts. */
export async function leaseTask(worker: WorkerState, signal: AbortSignal): Promise<ReadyTask> {
  const { transport, name, engine } = worker;
  const lease = await transport.lease({ worker: name, engine, signal });
  const input = fetchInput(worker, lease);
  input.catch(() => {}); // whoever needs it meets the error
  return { lease, input };
}

async function fetchInput(
  { transport, stopRunning }: WorkerState,
  lease: Lease,
): Promise<Uint8Array | null> {
  const { task } = lease;
  if (task.kind !== "train") {
    return await transport.getBlob(task.sweep, task.weights, { signal: stopRunning.signal });
  }
  return await lease.checkpoint().catch(() => null); // without it the training starts from the beginning
}
