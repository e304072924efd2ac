import type { Broker } from "./connect.ts";
import { untilDone } from "./retry.ts";
import { readLast } from "./store-once.ts";

/** Messages asked for at a time. */
const FLIGHT = 64;

export interface StreamMessage {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * What a stream holds now on the subjects that match, the last message of each. Without a consumer: whoever may
 * make one may have it send messages to subjects of his choice, and observers may read only.
 */
export async function readStream(
  broker: Broker,
  stream: string,
  filter: string,
): Promise<StreamMessage[]> {
  const { state } = await untilDone(broker, () =>
    broker.jsm.streams.info(stream, { subjects_filter: filter }),
  );
  const subjects = Object.keys(state.subjects ?? {});
  const messages: StreamMessage[] = [];
  for (let start = 0; start < subjects.length; start += FLIGHT) {
    const read = async (subject: string) => {
      const kept = await readLast(broker, stream, subject);
      return kept === null ? [] : [{ subject, data: kept.payload }]; // null: gone meanwhile
    };
    messages.push(...(await Promise.all(subjects.slice(start, start + FLIGHT).map(read))).flat());
  }
  return messages;
}
