/** Sees to it that the store has what the sweep's data set is made of. */
import { dirname, join } from "node:path";
import type { ReadContent } from "../../coordinator/data/read-content.ts";
import { readContent } from "../../coordinator/data/read-content.ts";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { sizeOf } from "../../coordinator/store/entries.ts";
import { contentFile } from "../../coordinator/store/layout.ts";
import type { Store } from "../../coordinator/store/store.ts";
import { UsageError } from "../../shared/errors.ts";

export interface ContentSource {
  readonly sweep: Sweep;
  /** What was just read of the sweep's files; null if they were not. */
  readonly content: ReadContent | null;
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
