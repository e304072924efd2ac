/** Sees to it that the store has what the sweep's data set is made of. */
import { dirname, join } from "node:path";
import type { ReadContent } from "../../coordinator/data/read-content.ts";
import { readContent } from "../../coordinator/data/read-content.ts";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { readIfThere } from "../../coordinator/store/files.ts";
import { contentFile } from "../../coordinator/store/layout.ts";
import type { Store } from "../../coordinator/store/store.ts";
import { UsageError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/identity.ts";

export interface ContentSource {
  readonly sweep: Sweep;
  /** What was just read of the sweep's files; null if they were not. */
  readonly content: ReadContent | null;
  /** Where the files are if they have moved. */
  readonly moved?: string | undefined;
}

export type ContentState = "none" | "whole" | "missing" | "damaged";

/** The state of the copy in a store. */
export async function contentState(directory: string, { content }: Sweep): Promise<ContentState> {
  if (content === undefined) return "none";
  const found = await readIfThere(join(directory, contentFile(content.digest)));
  if (found === null) return "missing";
  return digestOf(found) === content.digest ? "whole" : "damaged";
}

/**
 * Writes the copy if it is missing or damaged, from what was read or from the files, wherever they are now.
 * @throws UsageError if the files are not to be found, or have changed.
 */
export async function ensureContent(store: Store, source: ContentSource): Promise<ContentState> {
  const { sweep, moved } = source;
  const state = await contentState(store.directory, sweep);
  if (state === "none" || state === "whole") return state;
  const { digest } = sweep.content!;
  const folder = dirname(join(store.directory, "."));
  const read = source.content ?? (await readContent(sweep.data, { folder, moved }));
  if (read.digest !== digest) {
    throw new UsageError(
      `the files of data set ${sweep.data.name} have changed since this sweep began: expected content ${digest}, found ${read.digest}. Run its spec again for the new content, or give the old files with --data DIR`,
    );
  }
  const path = contentFile(digest);
  await store.putAside(state === "damaged" ? [path] : []);
  await store.putFiles([[path, read.bytes]]);
  return state;
}
