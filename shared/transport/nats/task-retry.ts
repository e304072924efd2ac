/** What happens to a task that its worker did not finish: back-off, dead letter, or return to the queue. */
import type { Msg } from "@nats-io/transport-node";
import type { DeadLetter } from "../../messages.ts";
import type { Broker } from "./connect.ts";
import { ack, addressOf, nak } from "./delivered-message.ts";
import { encodeJson, sealed } from "./envelope.ts";
import { subjects } from "./names.ts";
import { storeOnce } from "./store-once.ts";
import { createTaskState } from "./task-state.ts";
import type { Delivery, WorkerState } from "./worker-state.ts";

type Reason = DeadLetter["reason"];

/** Has a task delivered again after its back-off; after the last delivery allowed, makes it a dead letter. */
export async function retryTask(
  state: WorkerState,
  delivery: Delivery,
  reason: Reason,
): Promise<void> {
  const { broker, policy } = state;
  const { message, attempt } = delivery;
  if (attempt >= policy.maxDeliveries) await rejectTask(state, delivery, reason);
  else await nak(broker, message, policy.backoffMs(attempt));
}

/** Makes a task a dead letter at once. */
export async function rejectTask(
  state: WorkerState,
  { message, task, worker, attempt }: Delivery,
  reason: Reason,
): Promise<void> {
  await writeDeadLetter(state, message, letterOf(task, { reason, worker, attempts: attempt }));
}

/** Has a task delivered again at once; this delivery does not count. */
export async function returnTask(
  { broker }: WorkerState,
  { message, taskState }: Delivery,
): Promise<void> {
  await taskState.noteReturn();
  await nak(broker, message);
}

/** Returns a task that came after its pull was given up, so that another worker can get it at once. */
export async function returnUnseen(broker: Broker, message: Msg): Promise<void> {
  await createTaskState(broker, addressOf(message), broker.closed).noteReturn();
  await nak(broker, message);
}

/** Stores a dead letter; the task is then not delivered again. */
export async function writeDeadLetter(
  { broker, signal }: WorkerState,
  message: Msg,
  letter: DeadLetter,
): Promise<void> {
  const payload = encodeJson(letter);
  const subject = subjects.dead(letter.sweep, letter.task);
  await storeOnce(broker, { subject, payload, headers: sealed(payload) }, { signal });
  await ack(broker, message);
}

export function letterOf(
  { id: task, sweep, cell, kind }: { id: string; sweep: string; cell: string; kind: string },
  why: Pick<DeadLetter, "reason" | "worker" | "attempts">,
): DeadLetter {
  return { task, sweep, cell, kind, ...why };
}
