/** What anybody may see of a broker's sweeps, without changing anything. */
import { JetStreamApiError } from "@nats-io/jetstream";
import type { DeadLetter } from "../messages.ts";
import { deadLetterSchema } from "../messages.ts";
import type { Depth } from "../transport.ts";
import type { Broker } from "./connect.ts";
import { decodeJson } from "./envelope.ts";
import { queueName, STREAMS } from "./names.ts";
import type { Queue } from "./queue-list.ts";
import { readStream } from "./read-stream.ts";
import { untilDone } from "./retry.ts";

/** Tasks given up that no coordinator has retried or cleared away yet. */
export async function readDeadLetters(broker: Broker): Promise<DeadLetter[]> {
  const messages = await readStream(broker, STREAMS.dead, "ftle.dead.>");
  return messages.flatMap(({ data }) => {
    const letter = deadLetterSchema.safeParse(jsonOrNull(data));
    return letter.success ? [letter.data] : [];
  });
}

/** How many tasks of each sweep wait, and how many are in flight. */
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
    try {
      const name = queueName(engine, sweep);
      const info = await broker.jsm.consumers.info(STREAMS.tasks, name);
      return { waiting: info.num_pending, inFlight: info.num_ack_pending };
    } catch (error) {
      if (error instanceof JetStreamApiError && error.status === 404) return NOTHING;
      throw error;
    }
  });
}

const NOTHING: Depth = { waiting: 0, inFlight: 0 };

function jsonOrNull(data: Uint8Array): unknown {
  try {
    return decodeJson(data);
  } catch {
    return null;
  }
}
