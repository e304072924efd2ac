import type { JsMsg } from "@nats-io/jetstream";
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { untilDone } from "./retry.ts";

const BATCH = 1000;
const INACTIVE_MS = 30_000;

/** What a stream holds now on the subjects that match. */
export async function readStream(broker: Broker, stream: string, filter: string): Promise<JsMsg[]> {
  return await untilDone(broker, async () => {
    const { name, num_pending } = await broker.jsm.consumers.add(stream, {
      filter_subject: filter,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.LastPerSubject,
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    const consumer = await broker.js.consumers.get(stream, name);
    const messages: JsMsg[] = [];
    while (messages.length < num_pending) {
      const rest = num_pending - messages.length;
      const options = { max_messages: Math.min(rest, BATCH), expires: 2_000 };
      const before = messages.length;
      for await (const message of await consumer.fetch(options)) messages.push(message);
      if (messages.length === before) break; // the rest has expired meanwhile
    }
    await consumer.delete();
    return messages;
  });
}
