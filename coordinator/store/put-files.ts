import { join } from "node:path";
import { isLinkTo } from "./field-links.ts";
import type { Way } from "./put-aside.ts";
import type { NewFile } from "./write-files.ts";
import { isLink, writeFiles } from "./write-files.ts";

/** A store's directory, and how what is not ours makes way in it. */
export interface Place {
  readonly directory: string;
  readonly way: Way;
  /** As in `WriteOptions`. */
  readonly safe?: Set<string>;
}

/**
 * Writes files of the store, as `writeFiles`; what is in their way and not ours is renamed. A link that is there
 * already stays.
 */
export async function putFiles(place: Place, files: Iterable<NewFile>): Promise<void> {
  const { directory, safe } = place;
  await writeFiles(directory, cleared(place, files), safe === undefined ? {} : { safe });
}

/** Those of the files that are to be written, with nothing in their way. */
export function cleared({ directory, way }: Place, files: Iterable<NewFile>): NewFile[] {
  const wanting: NewFile[] = [];
  for (const file of files) {
    const [path, content] = file;
    if (isLink(content) && isLinkTo(join(directory, path), content)) continue;
    way.clear(path);
    wanting.push(file);
  }
  return wanting;
}
