import type { Broker } from "./connect.ts";
import { untilDone } from "./retry.ts";
import { readLast } from "./store-once.ts";

/** Messages asked for at a time. */
const FLIGHT = 64;

/**
 * What a stream holds now on the subjects that match, the last message of each, as `parse` reads it: null leaves
 * it out. Without a consumer: whoever may make one may have it send messages to subjects of his choice, and
 * observers may read only.
 */
export async function readStream<T>(
  broker: Broker,
  stream: string,
  filter: string,
  parse: (payload: Uint8Array) => T | null,
): Promise<T[]> {
  const { state } = await untilDone(broker, () =>
    broker.jsm.streams.info(stream, { subjects_filter: filter }),
  );
  const subjects = Object.keys(state.subjects ?? {});
  const found: T[] = [];
  const read = async (subject: string) => {
    const kept = await readLast(broker, stream, subject);
    return kept && parse(kept.payload); // null: gone meanwhile
  };
  for (let start = 0; start < subjects.length; start += FLIGHT) {
    const some = await Promise.all(subjects.slice(start, start + FLIGHT).map(read));
    for (const one of some) if (one !== null) found.push(one);
  }
  return found;
}
