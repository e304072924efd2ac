import { randomUUID } from "node:crypto";
import { link, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { type Clock, systemClock } from "../../shared/clock.ts";
import { LockedError } from "../../shared/errors.ts";
import { processPlace } from "../../shared/process/process-place.ts";
import { processStart } from "../../shared/process/process-start.ts";
import { isErrno, storeError, writeSynced } from "./files.ts";
import { type Door, openDoor } from "./lock-door.ts";
import type { LockContent, LockFile, LockOwner } from "./lock-file.ts";
import { lockFiles, lockText, readLock, writeBeat } from "./lock-file.ts";
import {
  BEAT_MS,
  DRAFT,
  isAlive,
  isInSight,
  judge,
  SILENT_MS,
  type Verdict,
  WATCH,
} from "./lock-holder.ts";

export type { LockOwner } from "./lock-file.ts";

export interface Lock {
  /** Aborts if another coordinator has taken the lock over: this process must write no more. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LockOptions {
  /** Open a door beside the lock, so that other containers, too, see at once when its holder is dead. */
  readonly hasDoor?: boolean;
  /** Ends the wait for a silent holder; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Reports a silent holder, and who it is; the wait for it lasts a minute at most. */
  onWait?(holder: string): void;
  readonly clock?: Pick<Clock, "after">;
  /** Members that replace those of this process. */
  readonly me?: Partial<LockOwner>;
  /** link(2). */
  readonly makeLink?: typeof link;
}

const LOOK_MS = 1_000;
/** What link(2) fails with on file systems that have no hard links (FAT, some SMB and FUSE). */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * Makes this process the only coordinator of a directory.
 *
 * Lock files are numbered: a new holder makes `lock.<n + 1>` beside a dead `lock.<n>`, which exactly one of
 * several contenders can do, and then checks again whether another live lock has appeared. So a dead holder's
 * lock is taken over at once, and never by two processes. A holder that cannot be seen from here is first
 * watched for a minute: see docs/decisions/0013.
 *
 * @throws LockedError naming the live owner, or the signal's reason.
 */
export async function acquireLock(directory: string, options: LockOptions = {}): Promise<Lock> {
  try {
    const name = `${DRAFT}${randomUUID()}`;
    const door = options.hasDoor ? await openDoor(directory, name) : null;
    try {
      const me = { ...(await whoIAm(directory, door && name)), ...options.me };
      const path = await take(directory, me, options);
      return hold(directory, path, { me, door });
    } catch (error) {
      await door?.close();
      throw error;
    }
  } catch (error) {
    throw storeError("write", directory, error);
  }
}

/** Who holds a directory now; null if no live process does. Only reads: judges a holder out of sight by our clock. */
export async function lockOwner(directory: string): Promise<LockOwner | null> {
  const files = await lockFiles(directory);
  if (files.length === 0) return null;
  const me = await whoIAm(directory, null);
  for (const { path } of files) {
    const content = await readLock(path);
    if (content?.owner == null) continue;
    const { owner, mtimeMs } = content;
    const isFresh = Date.now() - mtimeMs < SILENT_MS;
    if ((await isAlive(directory, owner, me)) ?? isFresh) return owner;
  }
  return null;
}

/** Whether the owner is a process that this one can send signals to. */
export async function isInReach(directory: string, owner: LockOwner): Promise<boolean> {
  return isInSight(owner, await whoIAm(directory, null));
}

async function whoIAm(directory: string, door: string | null): Promise<LockOwner> {
  const started = (await processStart(process.pid)) ?? "";
  const { dev: device } = await stat(directory);
  const since = new Date().toISOString();
  const place = await processPlace();
  return { pid: process.pid, host: hostname(), started, since, ...place, device, door };
}

interface Holder {
  readonly path: string;
  readonly content: LockContent;
  readonly verdict: Exclude<Verdict, "dead">;
}

/** @returns the path of the lock that this process now holds. */
async function take(
  directory: string,
  me: LockOwner,
  { signal, onWait, clock = systemClock, makeLink = link }: LockOptions,
): Promise<string> {
  let watched: string | null = null;
  for (;;) {
    signal?.throwIfAborted();
    const found = await lockFiles(directory);
    const holder = await holderOf(directory, found, me);
    if (holder === null) {
      const path = join(directory, `lock.${(found.at(-1)?.generation ?? 0) + 1}`);
      if (await claim(path, me, makeLink)) return path;
      continue; // another contender was faster
    }
    const { mark } = holder.content;
    if (holder.verdict !== "silent" || (watched ?? mark) !== mark) {
      throw new LockedError(directory, named(holder));
    }
    if (watched === null) onWait?.(named(holder));
    watched = mark;
    await pause(clock, signal);
  }
}

/** The newest lock whose holder is not dead. */
async function holderOf(
  directory: string,
  files: readonly LockFile[],
  me: LockOwner,
): Promise<Holder | null> {
  for (const file of [...files].reverse()) {
    const content = await readLock(file.path);
    if (content === null) continue;
    const verdict = await judge(directory, file, { content, me });
    if (verdict !== "dead") return { path: file.path, content, verdict };
  }
  return null;
}

function named({ path, content: { owner }, verdict }: Holder): string {
  const who =
    owner === null
      ? `a coordinator that ${basename(path)} does not name`
      : `process ${owner.pid} on ${owner.host}, since ${owner.since}`;
  const isCertain = verdict === "alive";
  return isCertain ? who : `${who} (if that has ended, run the command again in a minute)`;
}

/** Makes a lock, and checks again for another live one. @returns false if another process made this lock. */
async function claim(path: string, me: LockOwner, makeLink: typeof link): Promise<boolean> {
  const directory = dirname(path);
  if (!(await makeLock(path, lockText(me), makeLink))) return false;
  try {
    const others = (await lockFiles(directory)).filter((other) => other.path !== path);
    const holder = await holderOf(directory, others, me);
    if (holder !== null) throw new LockedError(directory, named(holder));
    for (const dead of others) {
      if ((await readLock(dead.path)) !== null) await rm(dead.path, { force: true });
    }
    await clear(directory, (name) => name.startsWith(DRAFT) && name !== me.door);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return true;
}

/** A lock appears whole, by link(2); where there are no hard links, it appears empty first. */
async function makeLock(path: string, text: string, makeLink: typeof link): Promise<boolean> {
  const draft = join(dirname(path), `${DRAFT}${randomUUID()}`);
  await writeSynced(draft, text);
  try {
    await makeLink(draft, path);
    return true;
  } catch (error) {
    // ENOENT: a new holder has removed the draft.
    if (isErrno(error, "EEXIST") || isErrno(error, "ENOENT")) return false;
    if (NO_LINKS.some((code) => isErrno(error, code))) return await makeExclusively(path, text);
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function makeExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeSynced(path, text);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    await rm(path, { force: true });
    throw error;
  }
}

function hold(
  directory: string,
  path: string,
  { me, door }: { me: LockOwner; door: Door | null },
): Lock {
  const lost = new AbortController();
  let beats = 0;
  const beat = setInterval(() => {
    writeBeat(path, me, beats++).catch((error) => {
      // Any error except its absence may be temporary: the next beat tries again.
      if (isErrno(error, "ENOENT")) lost.abort(new LockedError(directory, "another coordinator"));
    });
  }, BEAT_MS);
  beat.unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(beat);
      await rm(path, { force: true });
      await door?.close();
      await clear(directory, (name) => name.startsWith(WATCH));
    },
  };
}

/** Removes what contenders left behind; a live contender whose draft is removed makes another. */
async function clear(directory: string, isLitter: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(directory)) {
    if (isLitter(name)) await rm(join(directory, name), { force: true });
  }
}

async function pause({ after }: Pick<Clock, "after">, signal?: AbortSignal): Promise<void> {
  let end = () => {};
  const passed = new Promise<void>((resolve) => {
    end = resolve;
  });
  const callOff = after(LOOK_MS, end);
  signal?.addEventListener("abort", end, { once: true });
  await passed;
  signal?.removeEventListener("abort", end);
  callOff();
}
