/** How a worker waits for a task. */
import type { Lease } from "../transport.ts";
import type { TaskMessage } from "./next-message.ts";
import { openDelivery } from "./task-delivery.ts";
import { returnUnseen } from "./task-retry.ts";
import { leaseOf } from "./worker-lease.ts";
import type { WorkerState } from "./worker-state.ts";

/** @throws the reason of the caller's signal, or of the transport's when it stops. */
export async function nextLease(
  state: WorkerState,
  { worker, engine, signal }: { worker: string; engine: string; signal: AbortSignal },
): Promise<Lease> {
  for (;;) {
    const message = await pullMessage(state, engine, signal);
    if (message === null) continue;
    const delivery = await openDelivery(state, message, worker);
    if (delivery !== null) return leaseOf(state, delivery);
  }
}

/** null if no task came for a while. A task that comes after an abort is returned to its queue. */
async function pullMessage(
  { broker, source, pulls, signal: stopped }: WorkerState,
  engine: string,
  signal: AbortSignal,
): Promise<TaskMessage | null> {
  const pulled = source.next(engine);
  pulls.add(pulled);
  const signals = [signal, stopped];
  return await orAborted(pulled, signals, (late) => {
    if (late !== null) pulls.add(returnUnseen(broker, late.message));
  }).finally(() => pulls.delete(pulled));
}

/**
 * Resolves to the promised value, or rejects with the reason of the first signal that aborts; a value that comes
 * after that goes to `onLate`.
 */
function orAborted<T>(
  promised: Promise<T>,
  signals: readonly AbortSignal[],
  onLate: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      const aborted = signals.find((signal) => signal.aborted);
      cleanUp();
      reject(aborted!.reason);
      promised.then(onLate, () => {});
    };
    const cleanUp = () => {
      for (const signal of signals) signal.removeEventListener("abort", abort);
    };
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    if (signals.some((signal) => signal.aborted)) {
      abort();
      return;
    }
    promised.then(resolve, reject).finally(cleanUp);
  });
}
