/** The broker that `ftle run --cluster` starts for itself: private to this machine, this user and this run. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrokerError, UsageError } from "../../shared/errors.ts";
import type { NatsProcess } from "../../shared/transport/nats/nats-process.ts";
import { startNatsProcess } from "../../shared/transport/nats/nats-process.ts";

export interface EmbeddedBroker {
  /** With user and password: give it to other processes by the environment, never by argv. */
  readonly url: string;
  /** Process id of the server that runs now, or ran last. */
  readonly pid: number;
  /** Holds the server's configuration, log and store. */
  readonly folder: string;
  /** Aborts with a `BrokerError` if the server has ended and cannot be brought back. */
  readonly lost: AbortSignal;
  /** Ends the server and removes the folder. */
  stop(): Promise<void>;
}

interface EmbeddedBrokerOptions {
  /** The server's name on PATH, or its path. */
  readonly command?: string;
}

const OLDEST = [2, 10] as const;
const USER = "ftle";
/** A server that ends more often than this within `MINUTE_MS` is not started again. */
const MOST_ENDS = 5;
const MINUTE_MS = 60_000;
/** Free space that the broker of a trial needs at least, roughly. */
const LEAST_BYTES = 1_000_000;

const HOW_TO_GET_ONE = `Get nats-server ${OLDEST.join(".")} or later:
  apt install nats-server      (Debian 13, Ubuntu 24.04 or later)
  brew install nats-server
  go install github.com/nats-io/nats-server/v2@latest
and have it on PATH, or name it in FTLE_NATS_SERVER. Or start a broker and workers yourself:
  docker run -p 127.0.0.1:4222:4222 nats:2 -js
  ftle worker --nats nats://localhost:4222
  ftle run SPEC --nats nats://localhost:4222`;

/**
 * Starts nats-server on loopback, with a random port and password and an empty store. It ends with this
 * process, however this process ends, and so does its store; Ctrl-C does not reach it. One that dies is
 * started again, with the same port and store.
 *
 * @throws UsageError saying how to get nats-server, if there is none or it is too old, or naming TMPDIR,
 * if its files cannot be put there; BrokerError with what it said, if it does not start.
 */
export async function startEmbeddedBroker({
  command = process.env.FTLE_NATS_SERVER || "nats-server",
}: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  await refuseUnfit(command);
  const password = randomBytes(24).toString("base64url");
  const folder = await makeFolder();
  const stopping = new AbortController();
  const lost = new AbortController();
  const start = (port: number) =>
    startNatsProcess({
      binary: command,
      folder,
      config: configuration(join(folder, "store"), password),
      port,
      monitorPort: null,
      signal: stopping.signal,
    });

  let server: NatsProcess;
  try {
    server = await start(-1);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const { syscall = "spawn" } = error as NodeJS.ErrnoException;
    if (!syscall.startsWith("spawn")) throw temporaryFault(error); // it was one of our own files
    throw new BrokerError(`the private broker cannot be used: ${(error as Error).message}`, error);
  }
  const { port } = server;

  async function keepUp(): Promise<void> {
    const ends: number[] = [];
    while (!stopping.signal.aborted) {
      await server.gone;
      if (stopping.signal.aborted) return;
      ends.push(performance.now());
      const before = ends.at(-MOST_ENDS - 1) ?? Number.NEGATIVE_INFINITY;
      if (performance.now() - before < MINUTE_MS) {
        throw new Error(`it ended ${MOST_ENDS + 1} times within a minute`);
      }
      const last = server;
      server = await start(port);
      await last.release();
    }
  }
  const keeping = keepUp().catch((error) => {
    if (stopping.signal.aborted) return;
    const message = `the private broker ended and cannot be brought back: ${error.message}`;
    lost.abort(new BrokerError(message, error));
  });

  return {
    url: `nats://${USER}:${password}@127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    folder,
    lost: lost.signal,
    async stop() {
      stopping.abort();
      await server.kill(); // its store goes with it
      await keeping;
      await server.remove();
    },
  };
}

/** A folder that no other user may enter, in TMPDIR. */
async function makeFolder(): Promise<string> {
  try {
    const { blocks, bavail, bsize } = await statfs(tmpdir());
    // Without room for its log, the server neither starts nor says why.
    if (blocks > 0 && bavail * bsize < LEAST_BYTES) throw errno("ENOSPC");
    return await mkdtemp(join(tmpdir(), "ftle-broker-")); // 0700
  } catch (error) {
    throw temporaryFault(error);
  }
}

function temporaryFault(error: unknown): UsageError {
  const found = TEMPORARY_FAULTS[codeOf(error) ?? ""] ?? (error as Error).message;
  const named = process.env.TMPDIR ? "TMPDIR" : "TMPDIR, which is not set,";
  return new UsageError(
    `--cluster keeps its broker's files in a temporary folder: expected ${named} to name a place for it, found ${tmpdir()}, ${found}; set TMPDIR to a folder with room`,
  );
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

const TEMPORARY_FAULTS: Record<string, string> = {
  ENOENT: "which does not exist (ENOENT)",
  ENOTDIR: "which is not a folder (ENOTDIR)",
  EACCES: "where you may not write (EACCES)",
  EROFS: "which is read-only (EROFS)",
  ENOSPC: "which is full (ENOSPC)",
  EDQUOT: "where your quota is used up (EDQUOT)",
};

function configuration(store: string, password: string): string {
  return `
max_payload: 8MB
authorization { user: "${USER}", password: "${password}" }
jetstream { store_dir: ${JSON.stringify(store)} }`;
}

/** @throws UsageError if the server is not there, or too old. */
async function refuseUnfit(command: string): Promise<void> {
  const said = await new Promise<string>((resolve, reject) => {
    execFile(command, ["--version"], (error, stdout) => {
      if (error === null) return resolve(stdout.trim());
      const isMissing = error.code === "ENOENT";
      const found = isMissing ? `found no ${command}` : `${command} fails: ${error.message}`;
      reject(new UsageError(`--cluster needs nats-server; ${found}. ${HOW_TO_GET_ONE}`));
    });
  });
  const [, major, minor] = /v?(\d+)\.(\d+)\./.exec(said) ?? [];
  const isOld =
    Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (major !== undefined && !isOld) return;
  throw new UsageError(
    `--cluster needs nats-server ${OLDEST.join(".")} or later, found ${said} (${command}). ${HOW_TO_GET_ONE}`,
  );
}
