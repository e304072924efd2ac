/** What observers may read about a broker's sweeps; nothing here changes anything. */
import type { DeadLetter } from "../../messages.ts";
import { deadLetterSchema } from "../../messages.ts";
import type { Depth } from "../transport.ts";
import type { Broker } from "./connect.ts";
import { decodeJson } from "./envelope.ts";
import { BUCKETS, STREAMS } from "./names.ts";
import type { QueueKey } from "./queue-consumer.ts";
import { consumerInfoNow } from "./queue-consumer.ts";
import type { Queue } from "./queue-list.ts";
import { readStream } from "./read-stream.ts";
import { untilDone } from "./retry.ts";
import { streamInfo } from "./setup.ts";

/** Dead letters of all sweeps that were neither retried nor removed with their sweep. */
export async function readDeadLetters(broker: Broker): Promise<DeadLetter[]> {
  const letters = { stream: STREAMS.dead, filter: "ftle.dead.>" };
  return await readStream(broker, letters, (payload) => {
    const letter = deadLetterSchema.safeParse(jsonOrNull(payload));
    return letter.success ? letter.data : null;
  });
}

/** Waiting tasks and tasks in flight, by sweep. */
export async function readDepths(
  broker: Broker,
  queues: readonly Queue[],
): Promise<Map<string, Depth>> {
  const depths = new Map<string, Depth>();
  for (const queue of queues) {
    const depth = await depthOf(broker, queue);
    const before = depths.get(queue.sweep) ?? { waiting: 0, inFlight: 0 };
    depths.set(queue.sweep, {
      waiting: before.waiting + depth.waiting,
      inFlight: before.inFlight + depth.inFlight,
    });
  }
  return depths;
}

async function depthOf(broker: Broker, { engine, sweep }: Queue): Promise<Depth> {
  return await untilDone(broker, async () => {
    const { pending, inFlight } = await readQueue(broker, { engine, sweep });
    return { waiting: pending, inFlight };
  });
}

export interface QueueNumbers {
  /** Tasks that wait for a worker, or for the end of a back-off. */
  readonly pending: number;
  /** Tasks that are leased to a worker. */
  readonly inFlight: number;
  /** Tasks delivered more than once and not finished. */
  readonly redelivered: number;
}

/** A missing queue counts as empty. @throws if the broker does not answer. */
export async function readQueue(broker: Broker, queue: QueueKey): Promise<QueueNumbers> {
  const info = await consumerInfoNow(broker, queue);
  return {
    pending: info?.num_pending ?? 0,
    inFlight: info?.num_ack_pending ?? 0,
    redelivered: info?.num_redelivered ?? 0,
  };
}

export interface StreamNumbers {
  readonly name: string;
  readonly bytes: number;
  /** -1: no limit of its own. */
  readonly maxBytes: number;
  readonly messages: number;
}

/** Size of each of our streams and buckets. @throws if the broker does not answer. */
export async function readStreamNumbers(broker: Broker): Promise<StreamNumbers[]> {
  const buckets = Object.values(BUCKETS).map((bucket) => `KV_${bucket}`);
  const names = [...Object.values(STREAMS), ...buckets];
  const found = await Promise.all(names.map((name) => streamInfo(broker, name)));
  return found.flatMap((info) => {
    if (info === null) return [];
    const { config, state } = info;
    const { bytes, messages } = state;
    return [{ name: config.name, bytes, maxBytes: config.max_bytes, messages }];
  });
}

function jsonOrNull(data: Uint8Array): unknown {
  try {
    return decodeJson(data);
  } catch {
    return null;
  }
}
