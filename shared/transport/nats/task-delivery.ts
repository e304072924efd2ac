/** How a delivered message becomes a task to work on, or a dead letter. */
import type { Msg } from "@nats-io/transport-node";
import { InvalidTaskError } from "../../errors.ts";
import type { Task } from "../../messages.ts";
import { parseTask } from "../../messages.ts";
import { addressOf, deliveryCount } from "./delivered-message.ts";
import { decodeJson, ForeignMessageError, unsealed } from "./envelope.ts";
import type { TaskMessage } from "./next-message.ts";
import { letterOf, writeDeadLetter } from "./task-retry.ts";
import { createTaskState } from "./task-state.ts";
import type { Delivery, WorkerState } from "./worker-state.ts";

/**
 * Reads a message. null if there is nothing to work on: one that is not a task of ours, or was delivered too
 * often without any worker reporting back, becomes a dead letter.
 */
export async function openDelivery(
  state: WorkerState,
  { message, leaseMs }: TaskMessage,
  worker: string,
): Promise<Delivery | null> {
  const { broker, policy, signal } = state;
  const task = await taskIn(state, message, worker);
  if (task === null) return null;
  const taskState = createTaskState(broker, task, signal);
  const deliveries = deliveryCount(message);
  const attempt = deliveries === 1 ? 1 : Math.max(1, deliveries - (await taskState.returned()));
  if (attempt <= policy.maxDeliveries) {
    return { task, message, worker, attempt, leaseMs, taskState };
  }
  const attempts = policy.maxDeliveries;
  const reason = {
    name: "LeaseExpired",
    message: `each of its ${attempts} workers was killed, or silent for ${leaseMs / 1000} s`,
  };
  await writeDeadLetter(state, message, letterOf(task, { reason, worker, attempts }));
  return null;
}

async function taskIn(state: WorkerState, message: Msg, worker: string): Promise<Task | null> {
  const { sweep, id } = addressOf(message);
  try {
    const task = parseTask(decodeJson(unsealed(message.data, message.headers)));
    if (task.sweep === sweep && task.id === id) return task;
    throw new InvalidTaskError(`found task ${task.id} of ${task.sweep} on ${message.subject}`);
  } catch (error) {
    const isForeign = error instanceof InvalidTaskError || error instanceof ForeignMessageError;
    if (!isForeign) throw error;
    state.onEvent({ kind: "foreign", subject: message.subject, reason: error.message });
    const reason = { name: "InvalidTaskError", message: error.message };
    const unknown = { id, sweep, cell: "unknown", kind: "unknown" };
    await writeDeadLetter(state, message, letterOf(unknown, { reason, worker, attempts: 1 }));
    return null;
  }
}
