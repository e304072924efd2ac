/** What to do where a process may have few files open: `ulimit -n 64` on shared machines. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const FEW = 256;

/** Whether the process may have few files open; false where that is not known. */
export function hasFewDescriptors(): boolean {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))!;
    return Number(limit) < FEW;
  } catch {
    return false; // not Linux, or no limit
  }
}

/** `import … from "./…"` and `export … from "./…"`, but not of types. */
const IMPORTS = /^(?:import|export)\s(?!type\s)[^;"]*"(\.{1,2}\/[^"]+)"/gm;

/**
 * Loads a module of ours as `import()` does, but after those that it imports, one file at a time: `import()` opens all
 * imports of a level at once, in each thread.
 */
export async function importInOrder(path: string): Promise<void> {
  await importAfterItsOwn(pathToFileURL(path).href, new Set());
}

async function importAfterItsOwn(file: string, seen: Set<string>): Promise<void> {
  seen.add(file);
  const text = await readFile(new URL(file), "utf8");
  for (const [, path] of text.matchAll(IMPORTS)) {
    const imported = new URL(path!, file).href;
    if (!seen.has(imported)) await importAfterItsOwn(imported, seen);
  }
  await import(file);
}
