/** A private nats-server on this machine's loopback, as a process that ends with this one. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { GuardedProcess } from "../../process/guarded-process.ts";
import { spawnGuarded } from "../../process/guarded-process.ts";

export interface NatsProcess extends GuardedProcess {
  readonly port: number;
  /** Null without a monitor. */
  readonly monitorPort: number | null;
}

export interface NatsProcessOptions {
  readonly binary: string;
  readonly args?: readonly string[];
  /** For its configuration, its log, and the caller's files; removed when this process ends. Other users cannot read it. */
  readonly folder: string;
  /** The server's configuration without its ports. */
  readonly config: string;
  /** -1: the server chooses a free one. */
  readonly port: number;
  /** -1: the server chooses a free one; null: no monitor. */
  readonly monitorPort: number | null;
  readonly signal?: AbortSignal;
}

/** Recovering a store of some gigabytes takes a while. */
const START_MS = 60_000;
const LOOK_MS = 10;
/** A client that connects while the server is down can occupy the server's port itself for some seconds. */
const PORT_TAKEN = /address already in use/i;
const PORT_TAKEN_MS = 20_000;

/**
 * Starts a server and waits until it accepts connections, with JetStream if that is configured.
 *
 * @throws Error with the server's log, if it ends or is not ready in time; the folder stays.
 */
export async function startNatsProcess(options: NatsProcessOptions): Promise<NatsProcess> {
  const end = performance.now() + PORT_TAKEN_MS;
  for (;;) {
    try {
      return await startOnce(options);
    } catch (error) {
      const isTaken = options.port !== -1 && PORT_TAKEN.test(String(error));
      if (!isTaken || performance.now() > end) throw error;
      await pause(200, undefined, { signal: options.signal });
    }
  }
}

export function logOf(folder: string): string {
  return join(folder, "server.log");
}

async function startOnce(options: NatsProcessOptions): Promise<NatsProcess> {
  const { binary, args = [], folder, port, monitorPort, signal } = options;
  const path = join(folder, "server.conf");
  const log = logOf(folder);
  const monitor = monitorPort === null ? "" : `http: "127.0.0.1:${monitorPort}"\n`;
  const text = `listen: "127.0.0.1:${port}"\n${monitor}ports_file_dir: ${JSON.stringify(folder)}\n${options.config}\n`;
  await writeFile(path, text, { mode: 0o600 });
  const before = (await readFile(log, "utf8").catch(() => "")).length;
  const guarded = await spawnGuarded(binary, ["-c", path, ...args], { folder, log });
  try {
    const ports = await portsOf(guarded, folder, signal);
    return { ...guarded, ...ports };
  } catch (error) {
    await guarded.release();
    signal?.throwIfAborted();
    const said = (await readFile(log, "utf8")).slice(before).trim();
    throw new Error(`nats-server did not start (${(error as Error).message}):\n${said}`);
  }
}

/** The server writes the file when it accepts connections; JetStream is ready before that. */
async function portsOf(
  { pid, isGone }: GuardedProcess,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ port: number; monitorPort: number | null }> {
  const end = performance.now() + START_MS;
  for (;;) {
    const name = (await readdir(folder)).find((file) => file.endsWith(`_${pid}.ports`));
    const text = name === undefined ? "" : await readFile(join(folder, name), "utf8");
    if (text.endsWith("}")) {
      const { nats, monitoring } = JSON.parse(text) as { nats: string[]; monitoring?: string[] };
      const monitor = monitoring?.[0];
      return {
        port: portIn(nats[0]!),
        monitorPort: monitor === undefined ? null : portIn(monitor),
      };
    }
    signal?.throwIfAborted();
    if (isGone()) throw new Error("it ended");
    if (performance.now() > end) throw new Error(`not ready after ${START_MS / 1000} s`);
    await pause(LOOK_MS);
  }
}

function portIn(url: string): number {
  return Number(new URL(url).port);
}
