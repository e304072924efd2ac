/** Real nats-servers for tests: private, on loopback, each with a store of its own. */
import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { spawnGuarded } from "../guarded-process.ts";

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly monitorUrl: string;
  readonly storeDir: string;
  readonly pid: number;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again: same port, same store. */
  restart(): Promise<void>;
  pause(): void;
  continue(): void;
  /** Removes the store of a server that is down. */
  wipe(): Promise<void>;
  log(): Promise<string>;
  /** Kills it and removes what it had on disk. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** More of the server's configuration. */
  readonly config?: string;
  readonly binary?: string;
}

const SCRIPT = fileURLToPath(new URL("get-nats-server.sh", import.meta.url));
const START_MS = 30_000;

/** @throws Error saying how to get a server, if there is none and none could be built. */
export async function natsServerBinary(): Promise<string> {
  const made = spawnSync("bash", [SCRIPT], { encoding: "utf8" });
  const path = made.stdout.trim();
  if (made.status === 0 && existsSync(path)) return path;
  throw new Error(
    `the tests need nats-server 2.10 or later: put one on PATH, or install Go 1.25 and run \`npm run test:nats-server\`.\n${made.stderr}`,
  );
}

export async function startNatsServer(options: TestServerOptions = {}): Promise<TestServer> {
  const binary = options.binary ?? (await natsServerBinary());
  const folder = await mkdtemp(join(tmpdir(), "ftle-nats-"));
  const storeDir = join(folder, "store");
  const logFile = join(folder, "server.log");
  let ports = { nats: -1, monitor: -1 };
  let pid = 0;
  let child = null as ChildProcess | null;

  async function start(): Promise<void> {
    const portsFolder = join(folder, "ports");
    await rm(portsFolder, { recursive: true, force: true });
    await mkdir(portsFolder);
    const config = join(folder, "server.conf");
    await writeFile(
      config,
      `listen: "127.0.0.1:${ports.nats}"\nhttp: "127.0.0.1:${ports.monitor}"\nports_file_dir: "${portsFolder}"\n` +
        `${options.config?.includes("jetstream") ? "" : `jetstream { store_dir: "${storeDir}" }`}\n` +
        `${(options.config ?? "").replaceAll("$STORE", storeDir)}\n`,
    );
    const log = openSync(logFile, "a");
    const started = spawnGuarded(binary, ["-c", config], { stdout: log, remove: folder });
    child = started;
    const end = performance.now() + START_MS;
    for (;;) {
      const [file] = await readdir(portsFolder).catch(() => []);
      const text = file === undefined ? "" : await readFile(join(portsFolder, file), "utf8");
      if (file !== undefined && text.endsWith("}")) {
        const found = JSON.parse(text) as { nats: string[]; monitoring: string[] };
        pid = Number(/_(\d+)\.ports$/.exec(file)![1]);
        const portOf = (url: string | undefined) => Number(new URL(url!).port);
        ports = { nats: portOf(found.nats[0]), monitor: portOf(found.monitoring[0]) };
        if (await answers(ports.nats)) return;
      }
      if (started.exitCode !== null || performance.now() > end) {
        throw new Error(`nats-server did not start:\n${await readFile(logFile, "utf8")}`);
      }
      await pause(10);
    }
  }

  const server: TestServer = {
    get url() {
      return `nats://127.0.0.1:${ports.nats}`;
    },
    get port() {
      return ports.nats;
    },
    get monitorUrl() {
      return `http://127.0.0.1:${ports.monitor}`;
    },
    storeDir,
    get pid() {
      return pid;
    },
    async kill(signal = "SIGKILL") {
      const end = performance.now() + START_MS;
      try {
        process.kill(pid, signal);
        while (performance.now() < end) {
          process.kill(pid, 0);
          await pause(5);
        }
      } catch {
        return; // gone
      }
      throw new Error(`nats-server ${pid} outlived ${signal}`);
    },
    restart: start,
    pause() {
      process.kill(pid, "SIGSTOP");
    },
    continue() {
      process.kill(pid, "SIGCONT");
    },
    async wipe() {
      await rm(storeDir, { recursive: true, force: true });
    },
    log: () => readFile(logFile, "utf8"),
    async stop() {
      await server.kill();
      child?.stdin?.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    child?.stdin?.destroy();
    throw error;
  }
  return server;
}

/** Whether a NATS server greets on this port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("data", (data) => end(data.toString().startsWith("INFO ")));
    socket.once("error", () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}
