/** Tells a live holder of a lock from a dead one: by its process, by its door, or by watching it. */
import { randomUUID } from "node:crypto";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { processStart } from "../../shared/process/process-start.ts";
import { isDoorAnswered } from "./lock-door.ts";
import { type LockContent, type LockFile, type LockOwner, readLock } from "./lock-file.ts";

/** A holder that is out of sight, and gave no sign for so long while it was watched, is taken for dead. */
export const SILENT_MS = 60_000;
/** How often a holder gives one. */
export const BEAT_MS = 10_000;
/** A sign this old is no more than late. */
const LATE_MS = 2.5 * BEAT_MS;
/** Beginning of the names of all that belongs to locks and is none. */
export const DRAFT = ".lock-";
/** Of the files that tell since when a lock is watched. */
export const WATCH = `${DRAFT}watch-`;

/**
 * - `dead`: its lock may be taken over
 * - `alive`: that is certain
 * - `unseen`: alive, for all that can be told from here
 * - `silent`: it should have given a sign by now, and has not been watched for long enough
 */
export type Verdict = "dead" | "alive" | "unseen" | "silent";

/** Of two processes whose ids count in the same table, each finds the other by its id. */
export function isInSight(owner: LockOwner, me: LockOwner): boolean {
  if (owner.pids === undefined || (owner.pids === "" && me.pids === "")) {
    return owner.host === me.host;
  }
  return owner.boot === me.boot && owner.pids === me.pids;
}

/** Whether a holder lives, where that is told at once; else null. */
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
  return found === started || found === "" || started === ""; // "": the kernel does not tell, or not us
}

/** @param me looks at the lock, from where it runs. */
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
  // In version 0.1.0 the time was that of the holder's own clock, which tells nothing.
  return owner?.pids === undefined || Math.abs(now - mtimeMs) < LATE_MS ? "unseen" : "silent";
}

/** What the file system's clock says: the one clock that all who share it have in common. */
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
 * For how long nothing has changed about a lock since it was first seen as it is. Whoever sees it first
 * notes it in a file, whose time is the file system's; so who comes again need not have stayed.
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
