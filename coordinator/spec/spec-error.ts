import { FtleError } from "../../shared/errors.ts";

/** One thing wrong with a spec. */
export interface Fault {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Such as `axes.width[1]`; empty for faults of the text as a whole. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
  /** What to write instead, where that can be guessed. */
  readonly hint?: string;
}

/** A sweep spec that cannot be run, with all its faults; the message lists them, one per line. */
export class SpecError extends FtleError {
  override readonly name = "SpecError";
  override readonly exitCode = 2;
  readonly file: string;
  /** In the order of the text; at least one. */
  readonly faults: readonly Fault[];

  constructor(file: string, faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map((fault) => faultLine(file, fault)).join("\n"), options);
    this.file = file;
    this.faults = faults;
  }
}

function faultLine(file: string, { line, column, path, expected, found, hint }: Fault): string {
  const place = `${file}:${line}:${column}${path && `  ${path}`}`;
  return `${place}: expected ${expected}, found ${found}${hint ? ` (${hint})` : ""}`;
}
