/** Sees to it that the store has what the sweep's data set is made of, and the networks that it imports. */
import { dirname, join } from "node:path";
import type { ReadContent } from "../../coordinator/data/read-content.ts";
import { readContent } from "../../coordinator/data/read-content.ts";
import type { Plan } from "../../coordinator/plan/plan.ts";
import { importNetworks } from "../../coordinator/spec/import-networks.ts";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { sizeOf } from "../../coordinator/store/entries.ts";
import { contentFile } from "../../coordinator/store/layout.ts";
import type { Store } from "../../coordinator/store/store.ts";
import { UsageError } from "../../shared/errors.ts";
import type { CoordinatorTransport } from "../../shared/transport/transport.ts";

export interface ContentSource {
  readonly sweep: Sweep;
  /** What was just read of the sweep's files; null if they were not. */
  readonly content: ReadContent | null;
  /** Weights of imported networks that were just read, by digest. */
  readonly networks: ReadonlyMap<string, Uint8Array>;
  /** Where the files are if they have moved. */
  readonly moved?: string | undefined;
  /** What a thorough scan found damaged in the store. */
  readonly damaged: readonly string[];
}

/**
 * Writes the copy if it is missing or damaged, from what was read or from the files, wherever they are now.
 * @throws UsageError if the files are not to be found, or have changed.
 */
export async function ensureContent(store: Store, source: ContentSource): Promise<void> {
  const { sweep, moved, damaged } = source;
  if (sweep.content === undefined) return;
  const { digest } = sweep.content;
  const path = contentFile(digest);
  const isThere = sizeOf(join(store.directory, path)) !== null;
  if (isThere && !damaged.includes(path)) return;
  const folder = dirname(store.directory);
  const read = source.content ?? (await readContent(sweep.data, { folder, moved }));
  if (read.digest !== digest) {
    throw new UsageError(
      `the files of data set ${sweep.data.name} have changed since this sweep began: expected content ${digest}, found ${read.digest}. Run its spec again for the new content, or give the old files with --data DIR`,
    );
  }
  await store.putFiles([[path, read.bytes]]);
}

/**
 * As `ensureContent`, of imported networks.
 * @throws UsageError if a file is not to be found, or has changed.
 */
export async function ensureNetworks(store: Store, source: ContentSource): Promise<void> {
  const { sweep, moved, damaged } = source;
  const wanting = Object.entries(sweep.networks ?? {}).filter(([, { digest }]) => {
    const path = contentFile(digest);
    return sizeOf(join(store.directory, path)) === null || damaged.includes(path);
  });
  if (wanting.length === 0) return;
  const isAtHand = wanting.every(([, { digest }]) => source.networks.has(digest));
  const folder = dirname(store.directory);
  const read = isAtHand
    ? source.networks
    : (await importNetworks(sweep, { folder, moved })).weights;
  const files = wanting.map(([file, { digest }]) => {
    const bytes = read.get(digest);
    if (bytes === undefined) {
      throw new UsageError(
        `${file} has changed since this sweep began: expected weights ${digest}. Run its spec again for the new ones, or give the old file with --data DIR`,
      );
    }
    return [contentFile(digest), bytes] as const;
  });
  await store.putFiles(files);
}

/**
 * Takes what is missing from the broker, where a coordinator that was killed left it.
 * @throws the given error if the broker does not have it.
 */
export async function fetchContents(
  store: Store,
  { plan, transport, signal, lacking }: FetchOptions,
): Promise<void> {
  for (const digest of [plan.content, ...plan.networks]) {
    if (digest === null || sizeOf(join(store.directory, contentFile(digest))) !== null) continue;
    const bytes = await transport.getBlob(plan.sweep, digest, { signal }).catch(() => {
      signal.throwIfAborted();
      throw lacking;
    });
    await store.putFiles([[contentFile(digest), bytes]]);
  }
}

interface FetchOptions {
  readonly plan: Plan;
  readonly transport: CoordinatorTransport;
  readonly signal: AbortSignal;
  readonly lacking: UsageError;
}
