import { JetStreamApiError } from "@nats-io/jetstream";
import {
  ClosedConnectionError,
  InvalidArgumentError,
  PermissionViolationError,
} from "@nats-io/transport-node";
import { BrokerError, FtleError } from "../../errors.ts";
import type { Broker } from "./connect.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Repeats a request to the broker until it succeeds: waits for a broker that is unreachable, restarting or full.
 * The request must be idempotent.
 *
 * @throws errors that retrying does not cure: a request that is wrong or not permitted, a closed connection, an abort.
 */
export async function untilDone<T>(
  broker: Broker,
  action: () => Promise<T>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    await broker.connected(signal);
    try {
      return await action();
    } catch (error) {
      refuseLasting(error);
    }
    await pause(pauseMs * (0.75 + Math.random() / 2), anyOf(broker.closed, signal));
  }
}

/** Waits; resolves early when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

function refuseLasting(error: unknown): void {
  if (error instanceof FtleError) throw error; // our own errors are final
  const denied = violation(error);
  if (denied !== null) {
    throw new BrokerError(`the broker does not allow this role to ${denied}`, error);
  }
  if (error instanceof ClosedConnectionError || error instanceof InvalidArgumentError) throw error;
  // 503: not now (no leader, storage full, streams missing); every other answer is final.
  if (error instanceof JetStreamApiError && error.status !== 503 && !isFull(error)) throw error;
}

/** Whether the storage, or the stream's share of it, is full; there may be room later. */
export function isFull(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    /maximum (bytes|messages) exceeded|insufficient/.test(error.message)
  );
}

/** Whether the subject has a message already. */
export function isTaken(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    /maximum messages per subject exceeded/.test(error.message)
  );
}

/** JetStream's error code for "stream not found". */
const STREAM_NOT_FOUND = 10059;

/** Whether the broker has no such stream: it was never prepared, or has lost its data. */
export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}

function violation(error: unknown): string | null {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e instanceof PermissionViolationError) return `${e.operation} ${e.subject}`;
  }
  return null;
}

function anyOf(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second]);
}
