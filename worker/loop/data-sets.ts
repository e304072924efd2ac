/** Data sets from files, each made once a process: its threads share the memory. */
import { canonicalJson } from "../../shared/canonical-json.ts";
import type { DataSetRef } from "../../shared/cell.ts";
import type { Room } from "../../shared/datasets/data-set.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { dataSet, makeFromContent } from "../../shared/datasets/registry.ts";

export interface DataSets {
  /**
   * The samples of a sweep's data set; null for a generated one, which each thread makes.
   * @throws Error if neither the cache nor the transport has the content.
   */
  of(sweep: string, data: DataSetRef): Promise<FileSamples | null>;
}

/** Sets used last are kept: the tasks of a sweep share one, or a few. */
const MOST_KEPT = 3;

/** @param fetch finds the content of this digest. */
export function dataSets(fetch: (sweep: string, digest: string) => Promise<Uint8Array>): DataSets {
  /** Least recently used first. */
  const kept = new Map<string, Promise<FileSamples>>();
  return {
    async of(sweep, data) {
      if (dataSet(data.name).source === undefined) return null;
      const key = canonicalJson(data);
      const made =
        kept.get(key) ??
        fetch(sweep, data.digest).then((bytes) => makeFromContent(data, bytes, room));
      kept.delete(key);
      kept.set(key, made);
      made.catch(() => kept.delete(key)); // the next task tries again
      for (const oldest of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(oldest);
      return await made;
    },
  };
}

/** In memory that threads share. */
const room: Room = (length) =>
  new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
