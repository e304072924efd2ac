/** Where a command's output goes: results to standard output, everything else to standard error. */
export interface Output {
  readonly isJson: boolean;
  /** The command's result: `text` for people, or with `--json` the value as JSON. */
  result(text: string, value: unknown): void;
  /** Something worth knowing on the way; silent with `--quiet`. */
  note(line: string): void;
  /** Something that is wrong; never silent. */
  warn(line: string): void;
}

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function createOutput({ json = false, quiet = false }: OutputOptions): Output {
  return {
    isJson: json,
    result(text, value) {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
      else if (!quiet) process.stdout.write(`${text}\n`);
    },
    note(line) {
      if (!quiet) process.stderr.write(`${line}\n`);
    },
    warn(line) {
      process.stderr.write(`${line}\n`);
    },
  };
}
