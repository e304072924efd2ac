/** File systems of a given size, to fill up. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly path: string;
  /** `size=64k`, `ro`, `rw`. */
  remount(option: string): void;
}

/** Gives `body` a disk in memory, and takes it away afterwards. */
export async function onSmallDisk(
  size: string,
  body: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "ftle-disk-"));
  try {
    mount(path, `size=${size}`);
    await body({ path, remount: (option) => mount(path, `remount,${option}`) });
  } finally {
    spawnSync("umount", ["--lazy", path]);
    await rmdir(path);
  }
}

/**
 * - `directly`: this process may mount
 * - `unshared`: a process may in a namespace of its own, `unshare -rm`
 * - `not`: neither
 */
export function canMount(): "directly" | "unshared" | "not" {
  const path = join(tmpdir(), `ftle-probe-${process.pid}`);
  const probe = `mount -t tmpfs -o size=1m tmpfs ${path} && umount ${path}`;
  mkdirSync(path);
  try {
    if (succeeds("sh", "-c", probe)) return "directly";
    return succeeds("unshare", "-rm", "sh", "-c", probe) ? "unshared" : "not";
  } finally {
    rmSync(path, { recursive: true });
  }
}

function mount(path: string, options: string): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  if (status !== 0) throw new Error(`cannot mount ${path}: ${stderr}`);
}

function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}
