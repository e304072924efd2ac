/** Real nats-servers for tests: private, on loopback, each with its own store. */

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { NatsProcess } from "../transport/nats/nats-process.ts";
import { logOf, startNatsProcess } from "../transport/nats/nats-process.ts";
import { repositoryFile } from "./repository.ts";

export interface TestServer {
  /** Without user and password. A restart keeps the port. */
  readonly url: string;
  readonly port: number;
  readonly monitorUrl: string;
  readonly storeDir: string;
  readonly pid: number;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with the same ports and store; kills it first if it still runs. */
  restart(): Promise<void>;
  /** Suspends it with SIGSTOP. Resolves when all its threads are stopped. */
  pause(): Promise<void>;
  continue(): void;
  /** Removes the store. @throws Error if the server runs. */
  wipe(): Promise<void>;
  /** Its whole log, across restarts. */
  log(): string;
  /** Kills it and removes its files, except a store in a given folder. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** Further configuration: users, TLS, limits. Not the section `jetstream`. */
  readonly config?: string;
  /** Further settings of the section `jetstream`, e.g. `max_file_store: 1MB`; false: no JetStream. */
  readonly jetstream?: string | false;
  /** Folder of its store; a new one unless given. */
  readonly storeDir?: string;
  /** A free one unless given. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** `natsServerBinary()` unless given. */
  readonly binary?: string;
}

const SCRIPT = fileURLToPath(repositoryFile("shared/testing/get-nats-server.sh"));
/** How long a signal may take to end the server. */
const END_MS = 30_000;

let binary: Promise<string> | undefined;

/**
 * The path of a server of version 2.10 or later: from FTLE_NATS_SERVER, PATH or `.nats-server/`. The first call on
 * a machine may build it, in about a minute.
 *
 * @throws Error with instructions if there is none.
 */
export function natsServerBinary(): Promise<string> {
  binary ??= getServer().then((path) => {
    if (existsSync(path)) return path;
    throw new Error(`expected a nats-server at ${path}, as FTLE_NATS_SERVER says; found none`);
  });
  return binary;
}

/** The path of a server before 2.10; null if there is none. */
export async function oldNatsServerBinary(): Promise<string | null> {
  return await getServer("--old").catch(() => null);
}

/** @throws Error with the server's log if it does not start. */
export async function startNatsServer(options: TestServerOptions = {}): Promise<TestServer> {
  const path = options.binary ?? (await natsServerBinary());
  const folder = await mkdtemp(join(tmpdir(), "ftle-nats-"));
  const storeDir = options.storeDir ?? join(folder, "store");
  const jetstream =
    options.jetstream === false
      ? ""
      : `jetstream {\nstore_dir: ${JSON.stringify(storeDir)}\n${options.jetstream ?? ""}\n}`;
  let server: NatsProcess;
  const start = (ports: { port: number; monitorPort: number | null }) =>
    startNatsProcess({
      binary: path,
      args: options.args ?? [],
      folder,
      config: `${jetstream}\n${options.config ?? ""}`,
      ...ports,
    });

  async function kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    server.signal(signal);
    const isGone = await within(END_MS, server.gone);
    if (!isGone) throw new Error(`nats-server ${server.pid} outlived ${signal}`);
  }

  try {
    server = await start({ port: options.port ?? -1, monitorPort: -1 });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const { port, monitorPort } = server;
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    storeDir,
    get pid() {
      return server.pid;
    },
    kill,
    async restart() {
      await kill();
      const last = server;
      server = await start({ port, monitorPort });
      await last.release();
    },
    async pause() {
      server.signal("SIGSTOP");
      while (!(await isSuspended(server.pid))) await pause(1);
    },
    continue() {
      server.signal("SIGCONT");
    },
    async wipe() {
      if (!server.isGone()) {
        throw new Error("expected a server that is down: its store is to be removed");
      }
      await rm(storeDir, { recursive: true, force: true });
    },
    log: () => readFileSync(logOf(folder), "utf8"),
    stop: () => server.remove(),
  };
}

async function getServer(...args: string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile("bash", [SCRIPT, ...args], (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(stderr.trim() || error.message));
    });
  });
}

/** Whether every thread of a process is stopped; true where there is no `/proc`. */
async function isSuspended(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  for (const task of await readdir(tasks).catch(() => [])) {
    const status = await readFile(join(tasks, task, "stat"), "utf8").catch(() => "");
    if (!/\) T /.test(status)) return false; // proc_pid_stat(5), field 3
  }
  return true;
}

/** Whether the event comes in time. Keeps this process running until then. */
async function within(ms: number, event: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([event.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
