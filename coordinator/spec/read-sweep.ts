import { readFile, stat } from "node:fs/promises";
import { parseSweep } from "./parse-sweep.ts";
import { SpecError } from "./spec-error.ts";
import type { Sweep } from "./sweep.ts";

const MAX_BYTES = 2 ** 20;

/** A spec as written in its file, and the sweep that it describes. */
export interface ReadSweep {
  readonly text: string;
  readonly sweep: Sweep;
}

/**
 * Reads and parses a spec.
 *
 * @throws SpecError if it cannot be read, is not text of at most 1 MiB, or has faults
 */
export async function readSweep(file: string): Promise<ReadSweep> {
  const text = await readText(file);
  const parsed = parseSweep(text, { file });
  if ("faults" in parsed) throw new SpecError(file, parsed.faults);
  return { text, sweep: parsed.sweep };
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw fileError(file, `${size} bytes`);
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof SpecError) throw error;
    throw fileError(file, reasonOf(error), { cause: error });
  }
  if (bytes.length === 0) throw fileError(file, "an empty file");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fileError(file, "bytes that are not UTF-8", { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a directory",
  EACCES: "a file that may not be read",
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? message;
}

function fileError(file: string, found: string, options?: ErrorOptions): SpecError {
  const expected = "a YAML file (UTF-8, at most 1 MiB)";
  return new SpecError(file, [{ line: 1, column: 1, path: "", expected, found }], options);
}
