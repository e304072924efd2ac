/** Distinguishes a live holder of a lock from a dead one: by its process, by its door, or by watching it. */
import { randomUUID } from "node:crypto";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { processStart } from "../../shared/process/process-start.ts";
import { isDoorAnswered } from "./lock-door.ts";
import { type LockContent, type LockFile, type LockOwner, readLock } from "./lock-file.ts";

/** A holder that is out of sight, and gave no sign for this long while it was watched, is considered dead. */
export const SILENT_MS = 60_000;
/** How often a holder gives a sign of life. */
export const BEAT_MS = 10_000;
/** A sign up to this old is merely late. */
const LATE_MS = 2.5 * BEAT_MS;
/** Prefix of the names of files that belong to locks and are not locks. */
export const DRAFT = ".lock-";
/** Prefix of the files that record since when a lock has been watched. */
export const WATCH = `${DRAFT}watch-`;

/**
 * - `dead`: its lock may be taken over
 * - `alive`: certainly alive
 * - `unseen`: alive, as far as this process can determine
 * - `silent`: it should have given a sign by now, and has not been watched for long enough
 */
export type Verdict = "dead" | "alive" | "unseen" | "silent";

/** Whether both are in the same namespace of process ids, so that each can find the other by its id. */
export function isInSight(owner: LockOwner, me: LockOwner): boolean {
  if (owner.pids === undefined || (owner.pids === "" && me.pids === "")) {
    return owner.host === me.host;
  }
  return owner.boot === me.boot && owner.pids === me.pids;
}

/** Whether a holder is alive, where that can be determined at once; else null. */
export async function isAlive(
  directory: string,
  owner: LockOwner,
  me: LockOwner,
): Promise<boolean | null> {
  if (isInSight(owner, me)) return await isRunning(owner);
  const isOneKernel = owner.boot !== "" && owner.boot === me.boot && owner.device === me.device;
  if (!isOneKernel || !DOOR.test(owner.door ?? "")) return null;
  return await isDoorAnswered(directory, owner.door!);
}

const DOOR = /^\.lock-[0-9a-f-]{36}$/;

async function isRunning({ pid, started }: LockOwner): Promise<boolean> {
  const found = await processStart(pid);
  if (found === null) return false;
  return found === started || found === "" || started === ""; // "": the kernel does not say, or not to us
}

/** @param me the process that examines the lock, and where it runs. */
export async function judge(
  directory: string,
  file: LockFile,
  { content, me }: { content: LockContent; me: LockOwner },
): Promise<Verdict> {
  const { owner, mtimeMs } = content;
  const alive = owner === null ? null : await isAlive(directory, owner, me);
  if (alive !== null) return alive ? "alive" : "dead";
  const now = await fileSystemTime(directory);
  if ((await watchedMs(directory, file, { content, now })) >= SILENT_MS) return "dead";
  // In version 0.1.0 the time was that of the holder's own clock, which proves nothing.
  return owner?.pids === undefined || Math.abs(now - mtimeMs) < LATE_MS ? "unseen" : "silent";
}

/** The time of the file system's clock: the only clock that all processes that share it have in common. */
async function fileSystemTime(directory: string): Promise<number> {
  const path = join(directory, `${DRAFT}${randomUUID()}`);
  try {
    await writeFile(path, "now");
    return (await stat(path)).mtimeMs;
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * For how long a lock has not changed since it was first seen in this state. The first process to see it
 * records it in a file, whose time is the file system's; so a process need not keep running to watch it.
 */
async function watchedMs(
  directory: string,
  { generation }: LockFile,
  { content: { mark }, now }: { content: LockContent; now: number },
): Promise<number> {
  const path = join(directory, `${WATCH}${generation}`);
  const seen = await readLock(path);
  if (seen?.text === mark && seen.mtimeMs <= now) return now - seen.mtimeMs;
  const draft = join(directory, `${DRAFT}${randomUUID()}`);
  await writeFile(draft, mark);
  await rename(draft, path);
  return 0;
}
