import { digestOf } from "../../identity.ts";
import type { Broker } from "./connect.ts";
import { STREAMS, subjects } from "./names.ts";
import { getParts, putParts } from "./parts.ts";
import { pause } from "./retry.ts";
import { purge, storeOnce } from "./store-once.ts";

/** Size of a process's cache. */
const CACHE_BYTES = 256 * 2 ** 20;
/** A replica of the stream that lags behind may answer first: a missing blob is read again. */
const LOOKS = 5;
const LOOK_MS = 100;

export interface BlobStore {
  put(sweep: string, bytes: Uint8Array): Promise<string>;
  /** @throws Error if there is none of this digest. */
  get(sweep: string, digest: string, signal?: AbortSignal): Promise<Uint8Array>;
  drop(sweep: string, digest: string): Promise<void>;
}

/**
 * Blobs in a stream of the broker, by sweep and digest, with a cache.
 * @param mends whether `put` replaces a damaged blob: that needs the permission to purge.
 */
export function createBlobs(
  broker: Broker,
  { signal, mends }: { signal: AbortSignal; mends: boolean },
  onEvent: (event: "hit" | "miss") => void = () => {},
): BlobStore {
  const cache = lruCache(CACHE_BYTES);
  const coming = new Map<string, Promise<Uint8Array | null>>();
  const partsOf = (sweep: string, digest: string) => ({
    stream: STREAMS.blobs,
    subject: (part: number) => subjects.blob(sweep, digest, part),
    digest,
  });
  const remove = (sweep: string, digest: string) =>
    purge(broker, { stream: STREAMS.blobs, filter: subjects.blob(sweep, digest, ">") }, { signal });

  async function put(sweep: string, digest: string, bytes: Uint8Array): Promise<boolean> {
    let isNew = true;
    await putParts(broker, bytes, async (part, message) => {
      const subject = subjects.blob(sweep, digest, part);
      if ((await storeOnce(broker, { subject, ...message }, { signal })) === "exists")
        isNew = false;
    });
    return isNew;
  }

  async function look(sweep: string, digest: string): Promise<Uint8Array | null> {
    for (let n = 1; ; n++) {
      const bytes = await getParts(broker, partsOf(sweep, digest), { signal });
      if (bytes !== null || n === LOOKS) return bytes;
      await pause(n * LOOK_MS, signal);
    }
  }

  /** Concurrent reads of one blob share one request: tiles of the same network start together. */
  function fetch(sweep: string, digest: string): Promise<Uint8Array | null> {
    const key = `${sweep} ${digest}`;
    let fetched = coming.get(key);
    if (fetched === undefined) {
      fetched = look(sweep, digest);
      coming.set(key, fetched);
      const forget = () => coming.delete(key);
      fetched.then(forget, forget);
    }
    return fetched;
  }

  return {
    async put(sweep, bytes) {
      const digest = digestOf(bytes);
      const isNew = await put(sweep, digest, bytes);
      if (!isNew && mends && (await fetch(sweep, digest)) === null) {
        await remove(sweep, digest);
        await put(sweep, digest, bytes);
      }
      return digest;
    },

    async get(sweep, digest, abort) {
      const cached = mends ? undefined : cache.get(digest);
      onEvent(cached === undefined ? "miss" : "hit");
      if (cached !== undefined) return cached;
      abort?.throwIfAborted();
      const bytes = await fetch(sweep, digest);
      abort?.throwIfAborted();
      if (bytes === null) throw new Error(`no blob ${digest}`);
      cache.set(digest, bytes);
      return bytes;
    },

    drop: remove,
  };
}

/** Keeps the values that were used last, up to `most` bytes in total. */
function lruCache(most: number) {
  const values = new Map<string, Uint8Array>(); // in the order of their last use
  let total = 0;
  return {
    get(key: string): Uint8Array | undefined {
      const value = values.get(key);
      if (value === undefined) return undefined;
      values.delete(key);
      values.set(key, value);
      return value;
    },
    set(key: string, value: Uint8Array): void {
      if (value.length > most || values.has(key)) return;
      values.set(key, value);
      total += value.length;
      for (const [oldest, { length }] of values) {
        if (total <= most) break;
        values.delete(oldest);
        total -= length;
      }
    },
  };
}
