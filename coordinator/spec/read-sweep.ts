import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type ReadContent, readContent } from "../data/read-content.ts";
import { parseSweep } from "./parse-sweep.ts";
import { SpecError } from "./spec-error.ts";
import type { Sweep } from "./sweep.ts";

const MAX_BYTES = 2 ** 20;

/** A spec as written in its file, and the sweep that it describes. */
export interface ReadSweep {
  readonly text: string;
  readonly sweep: Sweep;
  /** What was read of a data set from files. */
  readonly content: ReadContent | null;
}

/**
 * Reads and parses a spec, and reads the files of its data set if it has any.
 *
 * @param moved where these files are if not beside the spec.
 * @throws SpecError if it cannot be read, is not text of at most 1 MiB, or has faults; UsageError or DataError if the
 * files of its data set are missing or faulty.
 */
export async function readSweep(
  file: string,
  { moved }: { moved?: string | undefined } = {},
): Promise<ReadSweep> {
  const text = await readText(file);
  const { sweep } = parsed(text, file);
  if (sweep.data.source === undefined) return { text, sweep, content: null };
  const content = await readContent(sweep.data, { folder: dirname(file), moved });
  return { text, sweep: parsed(text, file, content).sweep, content };
}

function parsed(text: string, file: string, content?: ReadContent): { readonly sweep: Sweep } {
  const { digest, bytes, facts } = content ?? {};
  const known = content && { digest: digest!, bytes: bytes!.length, facts: facts! };
  const found = parseSweep(text, { file, content: known });
  if ("faults" in found) throw new SpecError(file, found.faults);
  return found;
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
