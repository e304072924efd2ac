import { readFile, stat } from "node:fs/promises";
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { Authenticator, NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import {
  connect,
  createInbox,
  credsAuthenticator,
  nkeyAuthenticator,
  nkeys,
} from "@nats-io/transport-node";
import { BrokerError, UsageError } from "../../errors.ts";
import { connectFault } from "./connect-fault.ts";

/** Where the broker is, and who we are to it. Secrets come from files or the environment, never from argv. */
export interface BrokerOptions {
  /** `nats://host:4222`, or `tls://…` to insist on TLS; several separated by commas. The first may carry user:password. */
  readonly url: string;
  /** File with an nkey seed, or with a JWT and its seed (`.creds`); nobody else may read it. */
  readonly credentials?: string | undefined;
  /** File with the certificates of the authorities to trust, PEM. Insists on TLS. */
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
  readonly isConnected: () => boolean;
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
/** How long one attempt may take. */
const ATTEMPT_MS = 5_000;
const PAUSE_MS = 500;

export interface ConnectOptions {
  onState?(state: "disconnected" | "reconnected"): void;
  /** How long a broker that is not there yet is waited for. */
  readonly waitMs?: number;
}

/**
 * Connects to a broker and stays connected: whatever happens later, it is tried again for ever.
 *
 * @throws BrokerError if it cannot be reached, refuses us, is too old or has no JetStream;
 * UsageError for a credentials file that others may read.
 */
export async function connectBroker(
  options: BrokerOptions,
  { onState = () => {}, waitMs = FIRST_CONNECT_MS }: ConnectOptions = {},
): Promise<Broker> {
  const nc = await connectWithin(waitMs, options);
  try {
    refuseOldServer(nc, options.url);
    refuseWithoutJetStream(nc, options.url);
    await refuseDeaf(nc, options);
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
    inboxPrefix: options.inboxPrefix ?? "_INBOX",
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
    async close() {
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
    inboxPrefix: options.inboxPrefix ?? "_INBOX",
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    noAsyncTraces: true, // a stack for each request costs more than the request
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

/** The client takes TLS where it is offered, and only with this option insists on it. */
async function encryption({
  url,
  tlsCa,
}: BrokerOptions): Promise<Pick<NodeConnectionOptions, "tls">> {
  if (tlsCa === undefined) {
    return serversIn(url).some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {};
  }
  const ca = await readText(tlsCa);
  if (/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(ca)) return { tls: { ca } };
  throw new UsageError(`expected ${tlsCa} to hold a certificate (PEM), found none`);
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
    if (holdsCredentials(text)) {
      const lines = new TextEncoder().encode(`${text.trim()}\n`); // its parser wants the last line's end
      return { authenticator: credsAuthenticator(lines) };
    }
    if (isSeed(bytes)) return { authenticator: nkeyAuthenticator(bytes) };
    throw new UsageError(
      `expected ${credentials} to hold an nkey seed of a user (SU…) or credentials with a JWT, found neither`,
    );
  }
  const { username, password } = serversIn(url)[0]!;
  if (username === "") return {};
  if (password === "") return { token: decoded(username, url) };
  return { user: decoded(username, url), pass: decoded(password, url) };
}

/** Whether this is a `.creds` file: a JWT and its seed, each between two lines of dashes. */
function holdsCredentials(text: string): boolean {
  const seed = /\bSU[A-Z2-7]{56}\b/.exec(text)?.[0] ?? "";
  const hasJwt = /BEGIN NATS USER JWT-+\r?\n[\w-]+\.[\w-]+\.[\w-]+\r?\n-/.test(text);
  return hasJwt && isSeed(new TextEncoder().encode(seed));
}

/** Whether this is a user's seed, whole and without a typing error. */
function isSeed(bytes: Uint8Array): boolean {
  try {
    return nkeys.fromSeed(bytes).getPublicKey().startsWith("U");
  } catch {
    return false; // what it complains of may hold the seed
  }
}

function decoded(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl(url);
  }
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

/** @throws UsageError that tells nothing of a password. */
function serversIn(url: string): URL[] {
  try {
    const servers = url.split(",").map((one) => {
      const text = one.trim();
      return new URL(text.includes("://") ? text : `nats://${text}`);
    });
    const isOurs = ({ hostname, protocol }: URL) =>
      hostname !== "" && /^(nats|tls):$/.test(protocol);
    if (servers.every(isOurs)) return servers;
  } catch {
    // Told below, without what the parser quotes.
  }
  throw badUrl(url);
}

function badUrl(url: string): UsageError {
  const shown = url.replace(/^(\w+:\/\/)?.*@/s, "$1…@");
  const hint = url.includes("@")
    ? ", and special characters of a password as %XX (@ is %40, / is %2F)"
    : "";
  return new UsageError(`expected a URL such as nats://host:4222${hint}, got ${shown}`);
}

function withoutUser({ protocol, host, port }: URL): string {
  return `${protocol}//${port === "" ? `${host}:4222` : host}`;
}

/** The URL for messages: without its password. */
export function place(url: string): string {
  return serversIn(url).map(withoutUser).join(",");
}

function refuseOldServer({ info }: NatsConnection, url: string): void {
  const [major = 0, minor = 0] = (info?.version ?? "").split(".").map(Number);
  const [wantMajor, wantMinor] = OLDEST_SERVER;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new BrokerError(
    `expected nats-server ${OLDEST_SERVER.join(".")} or later at ${place(url)}, found ${info?.version}; install a newer one`,
  );
}

function refuseWithoutJetStream(nc: NatsConnection, url: string): void {
  if (nc.info?.jetstream === true) return;
  throw new BrokerError(
    `the broker at ${place(url)} has JetStream switched off; start it with \`nats-server -js\`, or with a jetstream section in its configuration`,
  );
}

/** A role that may not hear the answers to what it asks would wait for ever. */
async function refuseDeaf(nc: NatsConnection, options: BrokerOptions): Promise<void> {
  const { inboxPrefix = "_INBOX", url } = options;
  const refusals: Error[] = [];
  const trial = nc.subscribe(createInbox(inboxPrefix), {
    callback: (error) => {
      if (error !== null) refusals.push(error);
    },
  });
  await nc.flush();
  trial.unsubscribe();
  if (refusals.length === 0) return;
  throw new BrokerError(
    `the broker at ${place(url)} does not let us hear ${inboxPrefix}.>, where answers come: expected the key of the role that this is for, found another's`,
    refusals[0],
  );
}
