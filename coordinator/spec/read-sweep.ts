import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type ReadContent, readContent } from "../data/read-content.ts";
import { importNetworks } from "./import-networks.ts";
import { type ParseContext, parseSweep } from "./parse-sweep.ts";
import { SpecError } from "./spec-error.ts";
import type { Sweep } from "./sweep.ts";

const MAX_BYTES = 2 ** 20;

/** A spec as written in its file, and the sweep that it describes. */
export interface ReadSweep {
  readonly text: string;
  readonly sweep: Sweep;
  /** What was read of a data set from files. */
  readonly content: ReadContent | null;
  /** The weights of imported networks, by digest, as they are stored and sent. */
  readonly networks: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads and parses a spec, and reads the files of its data set and its networks if it has any.
 *
 * @param moved where these files are if not beside the spec.
 * @throws SpecError if it cannot be read, is not text of at most 1 MiB, or has faults; UsageError or DataError if the
 * files of its data set or networks are missing or faulty.
 */
export async function readSweep(
  file: string,
  { moved }: { moved?: string | undefined } = {},
): Promise<ReadSweep> {
  return await readSweepText(await readText(file), { file, moved });
}

/** As `readSweep`, of a text that would stand in `file`. */
export async function readSweepText(
  text: string,
  { file, moved }: { file: string; moved?: string | undefined },
): Promise<ReadSweep> {
  const { sweep } = parsed(text, { file });
  const places = { folder: dirname(file), moved };
  const isSourced = sweep.data.source !== undefined;
  const read = isSourced ? await readContent(sweep.data, places) : null;
  const imported = await importNetworks(sweep, places);
  const { networks } = imported;
  const content = read && { digest: read.digest, bytes: read.bytes.length, facts: read.facts };
  const isRead = isSourced || networks !== undefined;
  const whole = isRead
    ? parsed(text, { file, content: content ?? undefined, networks }).sweep
    : sweep;
  return { text, sweep: whole, content: read, networks: imported.weights };
}

function parsed(text: string, context: ParseContext): { readonly sweep: Sweep } {
  const found = parseSweep(text, context);
  if ("faults" in found) throw new SpecError(context.file, found.faults);
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
