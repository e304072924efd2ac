/** Files that a cell's record vouches for: weights, and the arrays of analyses. */
import { digestOf } from "../../shared/identity.ts";
import type { StoredFile } from "./cell-record.ts";
import { readOrNull, sizeOf } from "./entries.ts";

/** Whether a file has the bytes that its record says; without `thorough`, their number. */
export function isAsStored(
  file: string,
  { bytes, digest }: Pick<StoredFile, "bytes" | "digest">,
  { thorough }: { readonly thorough: boolean },
): boolean {
  if (!thorough) return sizeOf(file) === bytes;
  const content = readOrNull(file, bytes);
  return content?.length === bytes && digestOf(content) === digest;
}

/** The folders of an analysis' arrays, below its own. */
export function arrayFolders(files: readonly StoredFile[]): Set<string> {
  const folders = files.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  return new Set(folders.filter((folder) => folder !== ""));
}
