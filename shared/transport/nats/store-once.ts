import type { MsgHdrs } from "@nats-io/transport-node";
import { headers as newHeaders } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { isStreamMissing, isTaken, untilDone } from "./retry.ts";

const TIMEOUT_MS = 3_000;

/** A message as a stream keeps it. */
export interface KeptMessage {
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
}

interface AddressedMessage extends KeptMessage {
  readonly subject: string;
}

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Publishes to a stream that keeps the first message of each subject; retries until the broker confirms.
 *
 * @returns `exists` if the subject had a message already, which may be our own: from an attempt whose
 * confirmation was lost.
 */
export async function storeOnce(
  broker: Broker,
  message: AddressedMessage,
  options: Abortable = {},
): Promise<"stored" | "exists"> {
  return await untilDone(
    broker,
    async () => {
      try {
        await publish(broker, message);
        return "stored";
      } catch (error) {
        if (isTaken(error)) return "exists";
        throw error;
      }
    },
    options,
  );
}

/** Publishes to a stream that keeps the last message of each subject; retries until the broker confirms. */
export async function storeLatest(
  broker: Broker,
  message: AddressedMessage,
  options: Abortable = {},
): Promise<void> {
  await untilDone(broker, () => publish(broker, message), options);
}

async function publish(
  broker: Broker,
  { subject, payload, headers }: AddressedMessage,
): Promise<void> {
  await broker.turnEnd();
  await broker.js.publish(subject, payload, { headers, timeout: TIMEOUT_MS });
}

interface Place {
  readonly stream: string;
  readonly subject: string;
}

/** The last message on a subject of a stream; null if there is none. */
export async function readLast(
  broker: Broker,
  place: Place,
  options: Abortable = {},
): Promise<KeptMessage | null> {
  return await untilDone(broker, () => readLastNow(broker, place), options);
}

/** Like `readLast`, without retries. @throws if the broker does not answer, or has no such stream. */
export async function readLastNow(
  broker: Broker,
  { stream, subject }: Place,
): Promise<KeptMessage | null> {
  const to = `$JS.API.DIRECT.GET.${stream}.${subject}`;
  await broker.turnEnd();
  const { data: payload, headers } = await broker.nc.request(to, "", { timeout: TIMEOUT_MS });
  if (headers?.code === 404) return null;
  if (headers !== undefined && headers.code >= 400) {
    throw new Error(`reading ${subject}: ${headers.code} ${headers.description}`);
  }
  return { payload, headers: headers ?? newHeaders() };
}

interface Removal {
  readonly stream: string;
  /** Subjects to remove, wildcards allowed. */
  readonly filter: string;
  /** Keeps messages from this sequence number on. */
  readonly seq?: number;
}

/** Removes the messages on matching subjects. A stream that the broker has lost has none: that is no error. */
export async function purge(
  broker: Broker,
  { stream, ...what }: Removal,
  options: Abortable = {},
): Promise<void> {
  await untilDone(
    broker,
    async () => {
      try {
        await broker.jsm.streams.purge(stream, what);
      } catch (error) {
        if (!isStreamMissing(error)) throw error;
      }
    },
    options,
  );
}
