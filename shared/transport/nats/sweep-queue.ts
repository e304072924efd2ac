/** How a sweep's queue is made, found and removed: its consumer, and its entry in the list that workers read. */
import { nanos } from "@nats-io/transport-node";
import type { Depth } from "../transport.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { prepareStreams } from "./lost-streams.ts";
import { queueName, STREAMS, subjects } from "./names.ts";
import type { QueueKey } from "./queue-consumer.ts";
import { addConsumer, changeLease, consumerInfo, removeConsumer } from "./queue-consumer.ts";
import type { Queue } from "./queue-list.ts";
import { changeQueues, readQueues } from "./queue-list.ts";
import { purge } from "./store-once.ts";

/** Makes a queue, unless this process has made it already. Resolves when workers can find it. */
export function openQueue(state: CoordinatorState, queue: Queue): Promise<void> {
  const name = queueName(queue.engine, queue.sweep);
  const known = state.queues.get(name);
  if (known !== undefined) return known.opened;
  const opened = makeQueue(state, queue);
  state.queues.set(name, { queue, opened });
  opened.catch(() => state.queues.delete(name));
  return opened;
}

/** The queue of a sweep that nobody has opened with a priority. */
export function defaultQueue({ leaseMs }: CoordinatorState, { engine, sweep }: QueueKey): Queue {
  return { engine, sweep, priority: "normal", state: "running", leaseMs };
}

/** Whether no worker has a task of the queue, and none can get one. Makes the queue again if it is gone. */
export async function isQueueEmpty(state: CoordinatorState, key: QueueKey): Promise<boolean> {
  const { broker, queues, signal } = state;
  const name = queueName(key.engine, key.sweep);
  const queue = queues.get(name)?.queue ?? defaultQueue(state, key);
  const info = await consumerInfo(broker, queue, { signal });
  if (info !== null) return info.num_pending + info.num_ack_pending === 0;
  queues.delete(name);
  await openQueue(state, queue);
  return true;
}

/** Waiting and leased tasks in all queues of a sweep. */
export async function sweepDepth(state: CoordinatorState, sweep: string): Promise<Depth> {
  const { broker, signal } = state;
  let [waiting, inFlight] = [0, 0];
  for (const queue of await queuesOf(state, sweep)) {
    const info = await consumerInfo(broker, queue, { signal });
    waiting += info?.num_pending ?? 0;
    inFlight += info?.num_ack_pending ?? 0;
  }
  return { waiting, inFlight };
}

/** Removes all queues of a sweep, with the tasks in them. */
export async function removeQueues(state: CoordinatorState, sweep: string): Promise<void> {
  const { broker, queues, signal } = state;
  for (const queue of await queuesOf(state, sweep)) {
    const name = queueName(queue.engine, sweep);
    const known = queues.get(name);
    queues.delete(name);
    await known?.opened.catch(() => {});
    await changeQueues(broker, (list) => without(list, queue));
    await removeConsumer(broker, queue, { signal });
    await purgeTasks(state, queue);
  }
}

async function makeQueue(state: CoordinatorState, queue: Queue): Promise<void> {
  const { broker, signal } = state;
  await prepareStreams(state);
  const found = await consumerInfo(broker, queue, { signal });
  if (found === null) {
    // A new consumer would deliver again what an earlier one had seen done.
    await purgeTasks(state, queue);
    await addConsumer(broker, queue, { signal });
  } else if (found.config.ack_wait !== nanos(queue.leaseMs)) {
    await changeLease(broker, queue, { signal });
  }
  await changeQueues(broker, (list) => [...without(list, queue), queue]);
}

/** The queues of a sweep, also those that another coordinator opened. */
async function queuesOf({ broker, queues, signal }: CoordinatorState, sweep: string) {
  const listed = (await readQueues(broker, { signal })) ?? [];
  const opened = [...queues.values()].map(({ queue }) => queue);
  const all = new Map(
    [...opened, ...listed].map((queue) => [`${queue.engine} ${queue.sweep}`, queue]),
  );
  return [...all.values()].filter((queue) => queue.sweep === sweep);
}

async function purgeTasks({ broker, signal }: CoordinatorState, { engine, sweep }: QueueKey) {
  const filter = subjects.task(engine, sweep, ">");
  await purge(broker, { stream: STREAMS.tasks, filter }, { signal });
}

function without(list: readonly Queue[], { engine, sweep }: QueueKey): Queue[] {
  return list.filter((other) => other.sweep !== sweep || other.engine !== engine);
}
