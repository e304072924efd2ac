import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { connect } from "@nats-io/transport-node";
import { BrokerError } from "../../errors.ts";
import { serversIn, withoutUser } from "./broker-url.ts";
import { connectFault } from "./connect-fault.ts";
import { encryption, identity } from "./credentials.ts";
import { refuseUnfitServer } from "./server-checks.ts";
import { turnEnds } from "./turn-end.ts";

/** Where the broker is, and how we authenticate. Secrets come from files or the environment, never from argv. */
export interface BrokerOptions {
  /** `nats://host:4222`, or `tls://…` to require TLS; several separated by commas. The first may contain user:password. */
  readonly url: string;
  /** File with an nkey seed, or with a JWT and its seed (`.creds`); only its owner may have read access. */
  readonly credentials?: string | undefined;
  /** PEM file with the certificates of trusted authorities. Requires TLS. */
  readonly tlsCa?: string | undefined;
  /** Names the connection in the server's monitoring. */
  readonly name?: string | undefined;
  /** Prefix of the subjects for replies: the one inbox that this role may read. */
  readonly inboxPrefix?: string | undefined;
}

/** A connection that restores itself, and its state. */
export interface Broker {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Prefix of the subjects for replies: the only ones that this role may read. */
  readonly inboxPrefix: string;
  /** Aborts when the connection is closed on purpose, or for good. */
  readonly closed: AbortSignal;
  readonly isConnected: () => boolean;
  /** How often the connection was restored. */
  readonly reconnects: () => number;
  /** Resolves when connected. @throws when the broker is closed or `signal` aborts. */
  connected(signal?: AbortSignal): Promise<void>;
  /** Resolves when to send small messages: those of one turn of the event loop then go out in one write. */
  readonly turnEnd: () => Promise<void>;
  close(): Promise<void>;
}

/** How long to wait for a broker that does not answer yet. */
const FIRST_CONNECT_MS = 10_000;
/** How long one attempt may take. */
const ATTEMPT_MS = 5_000;
const PAUSE_MS = 500;
/** Where the client receives replies unless a role has an inbox of its own. */
const DEFAULT_INBOX = "_INBOX";

export interface ConnectOptions {
  onState?(state: "disconnected" | "reconnected"): void;
  /** How long to wait for a broker that does not answer yet. */
  readonly waitMs?: number;
}

/**
 * Connects to a broker; once connected, tries for ever to restore a lost connection.
 *
 * @throws BrokerError if it cannot be reached, refuses us, is too old or has no JetStream;
 * UsageError for a credentials file that others may read.
 */
export async function connectBroker(
  options: BrokerOptions,
  { onState = () => {}, waitMs = FIRST_CONNECT_MS }: ConnectOptions = {},
): Promise<Broker> {
  const { inboxPrefix = DEFAULT_INBOX } = options;
  const nc = await connectWithin(waitMs, options);
  try {
    await refuseUnfitServer(nc, { at: place(options.url), inboxPrefix });
  } catch (error) {
    await nc.close();
    throw error;
  }
  const closed = new AbortController();
  const turnEnd = turnEnds();
  let isConnected = true;
  let reconnects = 0;
  let waiters: (() => void)[] = [];
  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  };
  const followState = async () => {
    for await (const { type } of nc.status()) {
      if (type === "disconnect" || type === "staleConnection") {
        if (isConnected) onState("disconnected");
        isConnected = false;
      } else if (type === "reconnect") {
        isConnected = true;
        reconnects++;
        onState("reconnected");
        wake();
      }
    }
  };
  void followState();
  const noteClosed = async () => {
    const error = await nc.closed();
    const why =
      error instanceof Error ? `: ${connectFault(error, faultPlace(options)).message}` : "";
    closed.abort(new BrokerError(`the connection to ${place(options.url)} is closed${why}`, error));
    wake();
  };
  void noteClosed();
  return {
    nc,
    js: jetstream(nc, { checkAPI: false }),
    jsm: await jetstreamManager(nc, { checkAPI: false }),
    inboxPrefix,
    closed: closed.signal,
    isConnected: () => isConnected && !closed.signal.aborted,
    reconnects: () => reconnects,
    async connected(signal) {
      while (!isConnected) {
        closed.signal.throwIfAborted();
        signal?.throwIfAborted();
        await new Promise<void>((resolve) => {
          waiters.push(resolve);
          signal?.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      closed.signal.throwIfAborted();
      signal?.throwIfAborted();
    },
    turnEnd,
    async close() {
      await turnEnd(); // acknowledgements may wait for it
      await nc.close();
    },
  };
}

async function connectWithin(ms: number, options: BrokerOptions): Promise<NatsConnection> {
  const servers = serversIn(options.url);
  const connection: NodeConnectionOptions = {
    ...(await identity(options)),
    servers: servers.map(withoutUser),
    name: options.name ?? "ftle",
    inboxPrefix: options.inboxPrefix ?? DEFAULT_INBOX,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    noAsyncTraces: true, // a stack trace for each request costs more than the request
    pingInterval: 10_000,
    maxPingOut: 2,
    timeout: Math.min(ATTEMPT_MS, ms),
    ...(await encryption(options)),
  };
  const end = Date.now() + ms;
  for (;;) {
    try {
      return await connect(connection);
    } catch (error) {
      const fault = connectFault(error, faultPlace(options));
      const left = end - Date.now();
      if (!fault.mayPass || left <= 0) throw new BrokerError(fault.message, error);
      await new Promise((resolve) => setTimeout(resolve, Math.min(PAUSE_MS, left)));
    }
  }
}

function faultPlace({ url, credentials, tlsCa }: BrokerOptions) {
  const hasIdentity = credentials !== undefined || url.includes("@");
  return { at: place(url), hasIdentity, tlsCa };
}

/** The URL for messages: without user and password. */
export function place(url: string): string {
  return serversIn(url).map(withoutUser).join(",");
}
