/** Data sets from files, each made once a process: its threads share the memory. */
import { canonicalJson } from "../../shared/canonical-json.ts";
import type { Room } from "../../shared/datasets/data-set.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { dataSet, makeFromContent } from "../../shared/datasets/registry.ts";
import type { TrainTask } from "../../shared/messages.ts";

export interface DataSets {
  /**
   * What a training needs besides its task; null for a generated set, which its thread makes.
   * @throws Error if neither the cache nor the transport has the content.
   */
  of(task: TrainTask): Promise<FileSamples | null>;
}

/** Sets used last are kept: the tasks of a sweep share one, or a few. */
const MOST_KEPT = 3;

/** @param fetch finds the content of this digest. */
export function dataSets(fetch: (task: TrainTask) => Promise<Uint8Array>): DataSets {
  /** Least recently used first. */
  const kept = new Map<string, Promise<FileSamples>>();
  return {
    async of(task) {
      const { data } = task.physics;
      if (dataSet(data.name).source === undefined) return null;
      const key = canonicalJson(data);
      const made = kept.get(key) ?? fetch(task).then((bytes) => makeFromContent(data, bytes, room));
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
