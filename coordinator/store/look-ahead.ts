/** Looks at the files of many cells in a second thread: from the last cell on, while this one begins with the first. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Sum } from "./looks.ts";

export interface LookAhead {
  /**
   * What the files of folder `i` look like: null if one is missing, undefined if they were not looked at. To be asked
   * for in order: what comes before is not looked at any more.
   */
  sumAt(i: number): Sum | null | undefined;
  /** Ends the thread. */
  stop(): Promise<void>;
}

/** What the thread gets. */
export interface LookAheadData {
  readonly folders: readonly string[];
  /** Of the files in each of the folders. */
  readonly names: readonly string[];
  /** Of each folder: not looked at yet, all there, or not. */
  readonly state: Int32Array<SharedArrayBuffer>;
  /** Two words of each folder's sum. */
  readonly sums: Int32Array<SharedArrayBuffer>;
  /** At 0, the folder that was asked for last. */
  readonly front: Int32Array<SharedArrayBuffer>;
}

export const LOOKED = { not: 0, whole: 1, missing: 2 } as const;

/** For fewer folders, the thread starts later than the work is done. */
const WORTH_A_THREAD = 4_000;

/** Begins to look at files of these names in each of the folders. */
export function lookAhead(
  folders: readonly string[],
  names: readonly string[],
  { least = WORTH_A_THREAD }: { least?: number } = {},
): LookAhead {
  if (folders.length < least) return { sumAt() {}, async stop() {} };
  const shared = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
  const [state, sums, front] = [shared(folders.length), shared(2 * folders.length), shared(1)];
  const file = new URL(`./look-thread${extname(import.meta.url)}`, import.meta.url);
  const workerData: LookAheadData = { folders, names, state, sums, front };
  const thread = new Worker(file, { workerData });
  thread.unref();
  thread.on("error", () => {}); // what it has not looked at is looked at here
  return {
    sumAt(i) {
      Atomics.store(front, 0, i);
      const looked = Atomics.load(state, i);
      if (looked === LOOKED.not) return undefined;
      return looked === LOOKED.missing ? null : [sums[2 * i]!, sums[2 * i + 1]!];
    },
    async stop() {
      await thread.terminate();
    },
  };
}
