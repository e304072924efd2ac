/** A table as it is read from a file, before it is known which columns matter. */

import { UsageError } from "../../shared/errors.ts";

/** What is wrong with a file, and where. */
export interface DataFault {
  /** Such as `line 12, column b`. */
  readonly place: string;
  readonly expected: string;
  readonly found: string;
}

export interface Column {
  readonly name: string;
  /** One value a row; text where the file has text. */
  readonly values: readonly (string | number)[] | Float64Array | Float32Array;
}

export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** How to name a row, counted from 0, such as `line 2`. */
  readonly place: (row: number) => string;
}

/** A file that cannot be used, with all that is wrong with it. */
export class DataError extends UsageError {
  readonly file: string;
  readonly faults: readonly DataFault[];

  constructor(file: string, faults: readonly DataFault[]) {
    const lines = faults.map(({ place, expected, found }) => {
      return `${file}: ${place === "" ? "" : `${place}: `}expected ${expected}, found ${found}`;
    });
    super(lines.join("\n"));
    this.file = file;
    this.faults = faults;
  }
}

/** More faults of a kind are only counted. */
export const MOST_FAULTS = 20;
