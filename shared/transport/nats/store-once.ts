import type { MsgHdrs } from "@nats-io/transport-node";
import { headers as newHeaders } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { isTaken, untilDone } from "./retry.ts";

const TIMEOUT_MS = 3_000;

/**
 * Publishes to a stream that keeps the first message of a subject, until the broker says that it has it. An
 * attempt whose answer was lost is told from another's message by the digest in the header.
 *
 * @returns `exists` if the subject had a message already.
 */
export async function storeOnce(
  broker: Broker,
  subject: string,
  message: { payload: Uint8Array; headers: MsgHdrs },
  options: { signal?: AbortSignal | undefined; onRetry?: () => void } = {},
): Promise<"stored" | "exists"> {
  let attempts = 0;
  return await untilDone(
    broker,
    async () => {
      if (attempts++ > 0) options.onRetry?.();
      try {
        const { payload, headers } = message;
        await broker.js.publish(subject, payload, { headers, timeout: TIMEOUT_MS });
        return "stored";
      } catch (error) {
        if (isTaken(error)) return "exists";
        throw error;
      }
    },
    options,
  );
}

/** Publishes to a stream that keeps the last message of a subject, until the broker says that it has it. */
export async function storeLatest(
  broker: Broker,
  subject: string,
  message: { payload: Uint8Array; headers: MsgHdrs },
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { payload, headers } = message;
  await untilDone(
    broker,
    () => broker.js.publish(subject, payload, { headers, timeout: TIMEOUT_MS }),
    options,
  );
}

export interface KeptMessage {
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
}

/** The last message on a subject of a stream; null if there is none. */
export async function readLast(
  broker: Broker,
  stream: string,
  subject: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<KeptMessage | null> {
  return await untilDone(broker, () => readLastNow(broker, stream, subject), options);
}

/** The same, or an error if the broker cannot tell just now, or has no such stream. */
export async function readLastNow(
  broker: Broker,
  stream: string,
  subject: string,
): Promise<KeptMessage | null> {
  const to = `$JS.API.DIRECT.GET.${stream}.${subject}`;
  const { data: payload, headers } = await broker.nc.request(to, "", { timeout: TIMEOUT_MS });
  if (headers?.code === 404) return null;
  if (headers !== undefined && headers.code >= 400) {
    throw new Error(`reading ${subject}: ${headers.code} ${headers.description}`);
  }
  return { payload, headers: headers ?? newHeaders() };
}

/** Removes what is on the subjects that match. */
export async function purge(
  broker: Broker,
  stream: string,
  filter: string,
  options: { seq?: number; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { seq, signal } = options;
  const what = seq === undefined ? { filter } : { filter, seq };
  await untilDone(broker, () => broker.jsm.streams.purge(stream, what), { signal });
}
