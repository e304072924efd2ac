/** Keeps what data sets from files are made of on the worker's disk, by digest: a restarted worker need not fetch it again. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../shared/identity.ts";

export interface ContentCache {
  /** The bytes of this digest, from the cache or else from `fetch`. */
  get(digest: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array>;
}

export interface ContentCacheOptions {
  readonly folder: string;
  /** So much is kept, but always what was used last. */
  readonly mostBytes: number;
  /** Says why something could not be kept: the worker goes on without. */
  onNotice?(line: string): void;
}

const ENDING = ".safetensors";
const UNFINISHED = ".part";
/** An unfinished file so old is left from a process that was killed. */
const ABANDONED_MS = 3_600_000;

/** In the user's folder for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ftle");
}

export function contentCache({
  folder,
  mostBytes,
  onNotice = () => {},
}: ContentCacheOptions): ContentCache {
  return {
    async get(digest, fetch) {
      const path = join(folder, `${digest.replace(":", "-")}${ENDING}`);
      const found = await readFile(path).catch(() => null);
      if (found !== null && digestOf(found) === digest) {
        await utimes(path, new Date(), new Date()).catch(() => {}); // used last
        return found;
      }
      const bytes = await fetch();
      try {
        await keep(path, bytes);
        await forgetOldest(folder, { mostBytes, except: path });
      } catch (error) {
        onNotice(`cannot keep a data set in ${folder}: ${(error as Error).message}`);
      }
      return bytes;
    },
  };

  async function keep(path: string, bytes: Uint8Array): Promise<void> {
    await mkdir(folder, { recursive: true });
    const part = `${path}.${randomUUID()}${UNFINISHED}`;
    try {
      const file = await open(part, "wx");
      try {
        await file.writeFile(bytes);
      } finally {
        await file.close();
      }
      await rename(part, path); // it is checked whenever it is read, so it need not survive a power cut
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }
}

/** Removes what was used longest ago, until the rest is small enough. */
async function forgetOldest(
  folder: string,
  { mostBytes, except }: { readonly mostBytes: number; readonly except: string },
): Promise<void> {
  const kept: { path: string; size: number; mtimeMs: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null); // another worker may have removed it
    if (found === null) continue;
    const { size, mtimeMs } = found;
    if (name.endsWith(ENDING)) kept.push({ path, size, mtimeMs });
    if (name.endsWith(UNFINISHED) && mtimeMs < Date.now() - ABANDONED_MS) {
      await rm(path, { force: true });
    }
  }
  kept.sort((a, b) => a.mtimeMs - b.mtimeMs);
  let total = kept.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of kept) {
    if (total <= mostBytes) return;
    if (path === except) continue;
    await rm(path, { force: true });
    total -= size;
  }
}
