import { rmSync } from "node:fs";
import { join } from "node:path";
import type { FieldFolder } from "./field-links.ts";
import { canLink, isLinkTo, wantingOfGrid } from "./field-links.ts";
import type { SharedMetadata } from "./field-metadata.ts";
import { sharedMetadata } from "./field-metadata.ts";
import type { Place } from "./put-files.ts";
import { putFiles } from "./put-files.ts";
import type { Content, NewFile } from "./write-files.ts";
import { isLink } from "./write-files.ts";

/** Writes what a scan found missing or damaged of a field's metadata. */
export async function repairField(
  place: Place,
  { folder, description, metadata }: FieldFolder & { metadata: ReadonlyMap<string, Content> },
): Promise<void> {
  const { directory } = place;
  const shared = await sharedMetadata(description);
  let entries: NewFile[] = [...metadata];
  if (entries.some(([, content]) => isLink(content))) {
    if (canLink(directory)) await putGrid(place, shared);
    else entries = [...entries.filter(([, content]) => !isLink(content)), ...shared.files];
  }
  for (const [path, content] of entries) {
    if (isLink(content)) continue;
    // A link of ours, which does not hold any more, makes way for the file.
    const name = shared.links.has(path) ? path : path.split("/", 1)[0]!;
    const link = shared.links.get(name);
    const at = join(directory, folder, name);
    if (link !== undefined && isLinkTo(at, link)) rmSync(at);
  }
  await putFiles(
    place,
    entries.map(([path, content]): NewFile => [`${folder}/${path}`, content]),
  );
}

/** Writes what is missing or damaged of the files that the fields of a grid link to. */
async function putGrid(place: Place, shared: SharedMetadata): Promise<void> {
  await putFiles(place, wantingOfGrid(place.directory, shared));
}
