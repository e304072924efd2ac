import { readFile, stat } from "node:fs/promises";
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { Authenticator, NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import {
  AuthorizationError,
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import { BrokerError, UsageError } from "../errors.ts";

/** Where the broker is, and who we are to it. Secrets come from files or the environment, never from argv. */
export interface BrokerOptions {
  /** `nats://host:4222`, `tls://…`; several separated by commas. May carry user:password. */
  readonly url: string;
  /** File with an nkey seed, or with a JWT and its seed (`.creds`); nobody else may read it. */
  readonly credentials?: string | undefined;
  /** File with the certificates of the authorities to trust, PEM. */
  readonly tlsCa?: string | undefined;
  /** Names the connection in the server's monitoring. */
  readonly name?: string | undefined;
  /** What replies are addressed to: the one inbox this role may read. */
  readonly inboxPrefix?: string | undefined;
}

/** A connection that comes back by itself, with what is known of its state. */
export interface Broker {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Beginning of the subjects on which replies come: the only ones that this role may hear. */
  readonly inboxPrefix: string;
  /** Aborts when the connection is closed on purpose, or for good. */
  readonly closed: AbortSignal;
  /** How often the connection has come back. */
  readonly reconnects: () => number;
  /** Resolves when connected. @throws when the broker is closed or `signal` aborts. */
  connected(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The oldest server with all that is needed: several filters a consumer, `sync_interval`. */
const OLDEST_SERVER = [2, 10] as const;
/** How long a broker that is not there yet is waited for. */
const FIRST_CONNECT_MS = 10_000;

/**
 * Connects to a broker and stays connected: whatever happens later, it is tried again for ever.
 *
 * @throws BrokerError if it cannot be reached, refuses us, is too old or has no JetStream;
 * UsageError for a credentials file that others may read.
 */
export async function connectBroker(
  options: BrokerOptions,
  { onState = () => {} }: { onState?: (state: "disconnected" | "reconnected") => void } = {},
): Promise<Broker> {
  const nc = await connectWithin(FIRST_CONNECT_MS, options);
  try {
    refuseOldServer(nc, options.url);
    await refuseWithoutJetStream(nc, options.url);
  } catch (error) {
    await nc.close();
    throw error;
  }
  const closed = new AbortController();
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
    closed.abort(new BrokerError(`the connection to ${place(options.url)} is closed`, error));
    wake();
  };
  void noteClosed();
  return {
    nc,
    js: jetstream(nc, { checkAPI: false }),
    jsm: await jetstreamManager(nc, { checkAPI: false }),
    inboxPrefix: options.inboxPrefix ?? "_INBOX",
    closed: closed.signal,
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
    async close() {
      await nc.close();
    },
  };
}

async function connectWithin(ms: number, options: BrokerOptions): Promise<NatsConnection> {
  const servers = options.url.split(",").map((url) => url.trim());
  const connection: NodeConnectionOptions = {
    ...(await identity(options)),
    servers: servers.map(withoutUser),
    name: options.name ?? "ftle",
    inboxPrefix: options.inboxPrefix ?? "_INBOX",
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    pingInterval: 10_000,
    maxPingOut: 2,
    timeout: 5_000,
    ...(options.tlsCa === undefined ? {} : { tls: { ca: await readText(options.tlsCa) } }),
  };
  const end = Date.now() + ms;
  for (;;) {
    try {
      return await connect(connection);
    } catch (error) {
      const fault = connectFault(error, options.url);
      if (!fault.mayPass || Date.now() >= end) throw new BrokerError(fault.message, error);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Why we were not let in, in words for whoever typed the URL. */
function connectFault(error: unknown, url: string): { message: string; mayPass: boolean } {
  const at = place(url);
  const texts = causes(error);
  const all = texts.join(": ");
  if (error instanceof AuthorizationError || /authorization violation/i.test(all)) {
    return {
      message: `the broker at ${at} refused us: wrong user, password or key. Give --nats-credentials FILE, or user:password in the FTLE_NATS variable`,
      mayPass: false,
    };
  }
  if (/certificate|self.signed|CERT_|ERR_TLS|ssl|tls/i.test(all)) {
    return {
      message: `the broker at ${at} could not prove who it is: ${texts.at(-1)}. Give its authority's certificate with --nats-ca FILE, and check that it has not expired`,
      mayPass: false,
    };
  }
  if (/ENOTFOUND|EAI_AGAIN|Invalid URL|invalid url/i.test(all)) {
    return { message: `expected a broker at ${at}, found no such host: ${all}`, mayPass: false };
  }
  return {
    message: `expected a NATS server at ${at}, found none that answers (${all}). Start one with \`nats-server -js\`, or check the URL`,
    mayPass: true,
  };
}

function causes(error: unknown): string[] {
  const texts: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as NodeJS.ErrnoException;
    if (e.message !== "") texts.push(e.message);
    else if (code !== undefined) texts.push(String(code));
  }
  return texts.length > 0 ? [...new Set(texts)] : [String(error)];
}

/** @throws UsageError if others may read the file, or it holds no key. */
async function identity({ url, credentials }: BrokerOptions): Promise<{
  authenticator?: Authenticator;
  user?: string;
  pass?: string;
  token?: string;
}> {
  if (credentials !== undefined) {
    await refuseReadableByOthers(credentials);
    const text = await readText(credentials);
    const bytes = new TextEncoder().encode(text.trim());
    if (/BEGIN NATS USER JWT/.test(text)) return { authenticator: credsAuthenticator(bytes) };
    if (/^SU[A-Z2-7]{56}$/.test(text.trim())) return { authenticator: nkeyAuthenticator(bytes) };
    throw new UsageError(
      `expected ${credentials} to hold an nkey seed of a user (SU…) or credentials with a JWT, found neither`,
    );
  }
  const first = parsedUrl(url.split(",")[0]!.trim());
  if (first.username === "") return {};
  if (first.password === "") return { token: decodeURIComponent(first.username) };
  return { user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) };
}

async function refuseReadableByOthers(path: string): Promise<void> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${path}: ${error.message}`);
  });
  if (process.platform === "win32" || (info.mode & 0o077) === 0) return;
  const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
  throw new UsageError(
    `expected ${path} to be readable by its owner alone (0600), found ${mode}; do: chmod 600 ${path}`,
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

function parsedUrl(url: string): URL {
  try {
    const parsed = new URL(url.includes("://") ? url : `nats://${url}`);
    if (parsed.hostname !== "" && /^(nats|tls):$/.test(parsed.protocol)) return parsed;
  } catch {
    // Told below.
  }
  throw new UsageError(`expected a URL such as nats://host:4222, got ${withoutSecret(url)}`);
}

function withoutUser(url: string): string {
  const { protocol, host, hostname } = parsedUrl(url);
  return `${protocol}//${host === hostname ? `${host}:4222` : host}`;
}

/** The URL for messages: without its password. */
export function place(url: string): string {
  return url
    .split(",")
    .map((one) => withoutUser(one.trim()))
    .join(",");
}

function withoutSecret(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//…@");
}

function refuseOldServer({ info }: NatsConnection, url: string): void {
  const [major = 0, minor = 0] = (info?.version ?? "").split(".").map(Number);
  const [wantMajor, wantMinor] = OLDEST_SERVER;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new BrokerError(
    `expected nats-server ${OLDEST_SERVER.join(".")} or later at ${place(url)}, found ${info?.version}; install a newer one`,
  );
}

async function refuseWithoutJetStream(nc: NatsConnection, url: string): Promise<void> {
  if (nc.info?.jetstream === true) return;
  throw new BrokerError(
    `the broker at ${place(url)} has JetStream switched off; start it with \`nats-server -js\`, or with a jetstream section in its configuration`,
  );
}
