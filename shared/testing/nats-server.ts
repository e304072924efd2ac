/** Real nats-servers for tests: private, on loopback, each with a store of its own. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { NatsProcess } from "../transport/nats/nats-process.ts";
import { logOf, startNatsProcess } from "../transport/nats/nats-process.ts";

export interface TestServer {
  /** Without user and password. The port stays, over restarts too. */
  readonly url: string;
  readonly port: number;
  readonly monitorUrl: string;
  readonly storeDir: string;
  readonly pid: number;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with the same ports and store; one that still runs is killed first. */
  restart(): Promise<void>;
  /** Stops it in its tracks: SIGSTOP. Resolves when all its threads stand still. */
  pause(): Promise<void>;
  continue(): void;
  /** Removes the store. @throws Error if the server runs. */
  wipe(): Promise<void>;
  /** All that it has logged, over restarts too. */
  log(): string;
  /** Kills it and removes what it had on disk, but for a store whose place was given. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** More of the server's configuration: users, TLS, limits. Not the section `jetstream`. */
  readonly config?: string;
  /** More of the section `jetstream`, e.g. `max_file_store: 1MB`; false: no JetStream. */
  readonly jetstream?: string | false;
  /** Where its store is, instead of a new folder. */
  readonly storeDir?: string;
  /** Instead of a free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** Another server than `natsServerBinary()`. */
  readonly binary?: string;
}

const SCRIPT = fileURLToPath(new URL("get-nats-server.sh", import.meta.url));
/** How long a signal may take to end the server. */
const END_MS = 30_000;

let binary: Promise<string> | undefined;

/**
 * The path of a server of 2.10 or later: from FTLE_NATS_SERVER, PATH or `.nats-server/`; the first time on
 * a machine it may be built, in about a minute.
 *
 * @throws Error saying how to get one, if none could be had.
 */
export function natsServerBinary(): Promise<string> {
  binary ??= getServer().then((path) => {
    if (existsSync(path)) return path;
    throw new Error(`expected a nats-server at ${path}, as FTLE_NATS_SERVER says; found none`);
  });
  return binary;
}

/** The path of a server before 2.10; null if none can be had here. */
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
      while (!(await standsStill(server.pid))) await pause(1);
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

/** Whether every thread of a process is stopped; true where the kernel does not tell. */
async function standsStill(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  for (const task of await readdir(tasks).catch(() => [])) {
    const status = await readFile(join(tasks, task, "stat"), "utf8").catch(() => "");
    if (!/\) T /.test(status)) return false; // proc_pid_stat(5), field 3
  }
  return true;
}

/** Whether it comes about in time. Keeps this process running meanwhile. */
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
