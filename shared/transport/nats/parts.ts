/** Bytes too large for one message, in numbered parts. */
import { digestOf } from "../../identity.ts";
import type { Broker } from "./connect.ts";
import { sealed } from "./envelope.ts";
import { PARTS_HEADER } from "./names.ts";
import type { KeptMessage } from "./store-once.ts";
import { readLast } from "./store-once.ts";

/** Half the usual limit of a message. */
const PART_BYTES = 512 * 1024;
/** Room that headers and protocol need in a message. */
const OVERHEAD_BYTES = 4096;
/** Parts that are sent or requested at the same time. */
const FLIGHT = 4;

/** The largest payload of a message on this broker, in bytes. */
export function messageRoom({ nc }: Broker): number {
  return (nc.info?.max_payload ?? 2 ** 20) - OVERHEAD_BYTES;
}

type Store = (
  part: number,
  message: { payload: Uint8Array; headers: ReturnType<typeof sealed> },
) => Promise<unknown>;

/** Stores all parts. The first comes last: its header with their number is then a sign that all are there. */
export async function putParts(broker: Broker, bytes: Uint8Array, store: Store): Promise<void> {
  const room = Math.min(PART_BYTES, messageRoom(broker));
  const parts = Math.max(1, Math.ceil(bytes.length / room));
  const put = (part: number) => {
    const payload = bytes.subarray(part * room, (part + 1) * room);
    return store(part, { payload, headers: sealed(payload, { [PARTS_HEADER]: String(parts) }) });
  };
  for (let part = 1; part < parts; part += FLIGHT) {
    const few = Array.from({ length: Math.min(FLIGHT, parts - part) }, (_, i) => put(part + i));
    await Promise.all(few);
  }
  await put(0);
}

interface StoredParts {
  readonly stream: string;
  subject(part: number): string;
  /** Of all parts together. */
  readonly digest: string;
}

/** @returns null if a part is missing, or the parts together have another digest. */
export async function getParts(
  broker: Broker,
  { stream, subject, digest }: StoredParts,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array | null> {
  const get = (part: number) => readLast(broker, { stream, subject: subject(part) }, options);
  const first = await get(0);
  const count = Number(first?.headers.get(PARTS_HEADER) ?? 0);
  if (first === null || !Number.isInteger(count) || count < 1) return null;
  const found: (KeptMessage | null)[] = [first];
  for (let part = 1; part < count; part += FLIGHT) {
    const few = Array.from({ length: Math.min(FLIGHT, count - part) }, (_, i) => get(part + i));
    found.push(...(await Promise.all(few)));
    if (found.includes(null)) return null;
  }
  const bytes = joined(found.map((part) => part!.payload));
  return digestOf(bytes) === digest ? bytes : null;
}

/** In a new buffer with offset 0, so that typed arrays can be views of it. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
