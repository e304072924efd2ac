import type { Lease } from "../../shared/transport/transport.ts";
import { handleLease } from "./handle-lease.ts";
import { stopwatch } from "./stopwatch.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Takes one task after another and handles each until its lease ends. Resolves when the worker is to take no more
 * tasks. One such loop runs for each thread.
 * @throws if the transport fails.
 */
export async function takeTasks(worker: WorkerState): Promise<void> {
  const { transport, name, engine } = worker;
  const { signal } = worker.stopTaking;
  while (!signal.aborted) {
    let lease: Lease;
    const waited = stopwatch();
    try {
      lease = await transport.lease({ worker: name, engine, signal });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    await handleLease(worker, lease, waited());
  }
}
