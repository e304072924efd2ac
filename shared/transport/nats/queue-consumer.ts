/** A sweep's queue on the broker: a durable pull consumer of the stream of tasks. */
import type { ConsumerInfo } from "@nats-io/jetstream";
import { AckPolicy, DeliverPolicy, JetStreamApiError } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { queueName, STREAMS, subjects } from "./names.ts";
import type { Queue } from "./queue-list.ts";
import { untilDone } from "./retry.ts";

/** The threads of all workers that a queue serves: each may have a pull waiting, or a task in flight. */
const MAX_THREADS = 100_000;

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

export type QueueKey = Pick<Queue, "engine" | "sweep">;

/** null if the broker has no such queue. */
export async function consumerInfo(
  broker: Broker,
  queue: QueueKey,
  options: Abortable = {},
): Promise<ConsumerInfo | null> {
  return await untilDone(broker, () => consumerInfoNow(broker, queue), options);
}

/** Like `consumerInfo`, without retries. @throws if the broker does not answer. */
export async function consumerInfoNow(
  broker: Broker,
  { engine, sweep }: QueueKey,
): Promise<ConsumerInfo | null> {
  const name = queueName(engine, sweep);
  return await unlessMissing(() => broker.jsm.consumers.info(STREAMS.tasks, name));
}

export async function addConsumer(
  broker: Broker,
  { engine, sweep, leaseMs }: Queue,
  options: Abortable,
): Promise<void> {
  const config = {
    durable_name: queueName(engine, sweep),
    filter_subject: subjects.task(engine, sweep, ">"),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(leaseMs),
    max_deliver: -1, // workers count deliveries: the broker would hide a task that reaches its limit
    max_ack_pending: MAX_THREADS,
    max_waiting: MAX_THREADS,
  };
  await untilDone(broker, () => broker.jsm.consumers.add(STREAMS.tasks, config), options);
}

export async function changeLease(
  broker: Broker,
  { engine, sweep, leaseMs }: Queue,
  options: Abortable,
): Promise<void> {
  const name = queueName(engine, sweep);
  const change = { ack_wait: nanos(leaseMs) };
  await untilDone(broker, () => broker.jsm.consumers.update(STREAMS.tasks, name, change), options);
}

/** A queue that the broker does not have is no fault. */
export async function removeConsumer(
  broker: Broker,
  { engine, sweep }: QueueKey,
  options: Abortable,
): Promise<void> {
  const name = queueName(engine, sweep);
  const remove = () => unlessMissing(() => broker.jsm.consumers.delete(STREAMS.tasks, name));
  await untilDone(broker, remove, options);
}

async function unlessMissing<T>(request: () => Promise<T>): Promise<T | null> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === 404) return null;
    throw error;
  }
}
