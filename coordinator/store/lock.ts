import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { LockedError } from "../../shared/errors.ts";
import { processStart } from "../../shared/process/process-start.ts";
import { isErrno, storeError } from "./files.ts";

/** A holder on another machine that has not been seen for so long is taken for dead. */
const SILENT_MS = 60_000;
const HEARTBEAT_MS = 10_000;
/** Beginning of the name of a lock on its way. */
const DRAFT = ".lock-";

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the kernel's own count: tells a pid from its later namesake. */
  readonly started: string;
  readonly since: string;
}

export interface Lock {
  /** Aborts if another coordinator has taken the lock over: this process must write no more. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Makes this process the only coordinator of a directory.
 *
 * Lock files are numbered: a new holder makes `lock.<n + 1>` beside a dead `lock.<n>` by link(2), which
 * exactly one of several contenders can do, and then looks again whether another live one has come up.
 * So a dead holder's lock is taken over at once, and never by two.
 *
 * @throws LockedError naming the live owner.
 */
export async function acquireLock(directory: string): Promise<Lock> {
  const me: LockOwner = {
    pid: process.pid,
    host: hostname(),
    started: (await processStart(process.pid)) ?? "",
    since: new Date().toISOString(),
  };
  try {
    for (;;) {
      const path = await claim(directory, me);
      if (path === null) continue;
      const lost = new AbortController();
      const beat = setInterval(() => {
        touch(path).catch((error) => {
          // Anything but its absence may pass: the next beat tries again.
          if (isErrno(error, "ENOENT"))
            lost.abort(new LockedError(directory, "another coordinator"));
        });
      }, HEARTBEAT_MS);
      beat.unref();
      return {
        lost: lost.signal,
        async release() {
          clearInterval(beat);
          await rm(path, { force: true });
        },
      };
    }
  } catch (error) {
    throw storeError("write", directory, error);
  }
}

/** Who holds a directory now; null if nobody alive does. */
export async function lockOwner(directory: string): Promise<LockOwner | null> {
  for (const { path } of await lockFiles(directory)) {
    const owner = await liveOwner(path);
    if (owner !== null) return owner;
  }
  return null;
}

/** @returns the lock's path, or null if another contender was quicker. */
async function claim(directory: string, me: LockOwner): Promise<string | null> {
  const found = await lockFiles(directory);
  await refuseIfHeld(directory, found);
  const path = join(directory, `lock.${(found.at(-1)?.generation ?? 0) + 1}`);
  const draft = join(directory, `${DRAFT}${randomUUID()}`);
  await writeFile(draft, `${JSON.stringify(me)}\n`);
  try {
    await link(draft, path);
  } catch (error) {
    // ENOENT: a new holder has cleared the draft away.
    if (isErrno(error, "EEXIST") || isErrno(error, "ENOENT")) return null;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  try {
    const others = (await lockFiles(directory)).filter((other) => other.path !== path);
    await refuseIfHeld(directory, others);
    for (const dead of others) await rm(dead.path, { force: true });
    await clearDrafts(directory);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return path;
}

async function refuseIfHeld(directory: string, locks: { path: string }[]): Promise<void> {
  for (const { path } of locks) {
    const owner = await liveOwner(path);
    if (owner === null) continue;
    const { pid, host, since } = owner;
    throw new LockedError(directory, `process ${pid} on ${host}, since ${since}`);
  }
}

/** Removes what killed contenders left behind; a live one whose draft goes makes another. */
async function clearDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(DRAFT)) await rm(join(directory, name), { force: true });
  }
}

async function lockFiles(directory: string): Promise<{ path: string; generation: number }[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
  return names
    .filter((name) => /^lock\.\d+$/.test(name))
    .map((name) => ({ path: join(directory, name), generation: Number(name.slice(5)) }))
    .sort((a, b) => a.generation - b.generation);
}

async function liveOwner(path: string): Promise<LockOwner | null> {
  try {
    const owner = JSON.parse(await readFile(path, "utf8")) as LockOwner;
    if (typeof owner?.pid !== "number" || typeof owner.host !== "string") return null;
    if (owner.host !== hostname()) {
      const { mtimeMs } = await stat(path);
      return Date.now() - mtimeMs < SILENT_MS ? owner : null;
    }
    const started = await processStart(owner.pid);
    return started !== null && started === owner.started ? owner : null;
  } catch (error) {
    // Removed meanwhile, or not ours: a lock appears whole (link), so half a one cannot be.
    if (isErrno(error, "ENOENT") || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}
