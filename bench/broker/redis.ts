/** A private Redis for the peers. */
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { spawnGuarded } from "../../shared/process/guarded-process.ts";
import { firstLine } from "./processes.ts";

export interface Redis {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Which part of the peers is missing here, for people; null if none is. */
export function peersLack(): string | null {
  if (!existsSync(peer("node_modules")))
    return "BullMQ is not set up (`npm run bench:broker-peers`)";
  if (firstLine("redis-server", ["--version"]) === "") return "no redis-server on PATH";
  return null;
}

export function peer(name: string): string {
  return fileURLToPath(new URL(`peers/${name}`, import.meta.url));
}

const START_MS = 10_000;

/** @param fsync when writes must be on disk: every second, or before the answer. */
export async function startRedis(fsync: "everysec" | "always"): Promise<Redis> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-redis-"));
  const port = await freePort();
  const log = join(folder, "log");
  const settings = {
    bind: "127.0.0.1",
    port,
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: fsync,
    "maxmemory-policy": "noeviction",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = await spawnGuarded("redis-server", args, { folder, log });
  const end = performance.now() + START_MS;
  while (!(await takesConnections(port))) {
    if (server.isGone() || performance.now() > end) throw new Error("redis-server did not start");
    await pause(20);
  }
  return { port, pid: server.pid, stop: () => server.remove() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function takesConnections(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });
}
