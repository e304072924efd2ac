import type { Broker } from "./connect.ts";
import { untilDone } from "./retry.ts";
import { readLast } from "./store-once.ts";

/** Messages asked for at a time. */
const FLIGHT = 64;

/**
 * The last message of each matching subject of a stream, as `parse` reads it; messages for which it returns null
 * are left out. Works without a consumer, because the right to create one includes having it deliver to any
 * subject, and observers may only read.
 */
export async function readStream<T>(
  broker: Broker,
  { stream, filter }: { stream: string; filter: string },
  parse: (payload: Uint8Array) => T | null,
): Promise<T[]> {
  const { state } = await untilDone(broker, () =>
    broker.jsm.streams.info(stream, { subjects_filter: filter }),
  );
  const subjects = Object.keys(state.subjects ?? {});
  const found: T[] = [];
  const read = async (subject: string) => {
    const kept = await readLast(broker, { stream, subject });
    return kept && parse(kept.payload); // null: removed since the subjects were listed
  };
  for (let start = 0; start < subjects.length; start += FLIGHT) {
    const some = await Promise.all(subjects.slice(start, start + FLIGHT).map(read));
    for (const one of some) if (one !== null) found.push(one);
  }
  return found;
}
