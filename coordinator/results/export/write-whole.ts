import { existsSync } from "node:fs";
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../../../shared/errors.ts";
import { isErrno, storeError } from "../../store/files.ts";

export interface WriteWholeOptions {
  /** `group`: a folder that is a Zarr group. */
  readonly kind: "file" | "group";
  /** Replace an earlier export. */
  readonly force: boolean;
}

/**
 * Lets `write` make a file or folder beside `target` and moves it there when it is complete: whatever
 * happens before, the target stays unchanged.
 *
 * @throws UsageError if there is something at the target, and it is not to be replaced or not an export;
 *   StoreError if it cannot be written.
 */
export async function writeWhole(
  target: string,
  options: WriteWholeOptions,
  write: (path: string) => Promise<void>,
): Promise<void> {
  const path = resolve(target);
  const draft = `${path}.partial-${process.pid}`;
  const old = `${path}.old-${process.pid}`;
  try {
    const isThere = await refuseUnlessReplaceable(target, options);
    await mkdir(dirname(path), { recursive: true });
    await write(draft);
    const isInTheWay = isThere && options.kind === "group"; // a rename replaces files only
    if (isInTheWay) await rename(path, old);
    await rename(draft, path);
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => {}); // the first error counts
    throw storeError("write", target, error);
  }
}

/** @returns whether there is an earlier export to replace. */
async function refuseUnlessReplaceable(
  target: string,
  { kind, force }: WriteWholeOptions,
): Promise<boolean> {
  const found = await lstat(target).catch((error) => {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  });
  if (found === null) return false;
  const what = found.isDirectory() ? "folder" : "file";
  if (!force) {
    throw new UsageError(
      `expected nothing at ${target} yet, found a ${what}; choose another --out, or replace it with --force`,
    );
  }
  const isGroup = what === "folder" && existsSync(join(target, "zarr.json"));
  if (kind === "group" ? isGroup : what === "file") return true;
  const expected = kind === "group" ? "a Zarr group" : "a file";
  throw new UsageError(
    `expected ${expected} at ${target} to replace, found another ${what}; choose another --out`,
  );
}
