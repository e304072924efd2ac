/** Takes inputs, targets and split out of a table. */
import type { Content, Facts } from "../../shared/datasets/content.ts";
import { factsOf } from "../../shared/datasets/content.ts";
import type { Column, DataFault, Table } from "./table.ts";
import { DataError, MOST_FAULTS } from "./table.ts";

export interface Selection {
  /** Absent: all other columns. */
  readonly inputs?: string | readonly string[];
  readonly target: string | readonly string[];
  readonly split?: string;
  readonly targets: "classes" | "values";
}

/** Longer lists of classes are a mistake: an index, or a number to be met. */
const MOST_CLASSES = 1000;

/**
 * @throws DataError with every unknown column, every value that is not a finite number, and what makes the whole
 * unusable: no samples, one class only, a split without samples.
 */
export function contentOfTable(
  file: string,
  table: Table,
  selection: Selection,
): { content: Content; facts: Facts } {
  const faults: DataFault[] = [];
  const target = columnsNamed(table, [selection.target].flat(), faults);
  const split = columnsNamed(table, selection.split === undefined ? [] : [selection.split], faults);
  const others = () => table.columns.filter((one) => ![...target, ...split].includes(one));
  const inputs =
    selection.inputs === undefined
      ? others()
      : columnsNamed(table, [selection.inputs].flat(), faults);
  if (table.rows < 2) {
    faults.push({ place: "", expected: "two samples or more", found: String(table.rows) });
  }
  if (inputs.length === 0 && faults.length === 0) {
    faults.push({ place: "", expected: "columns for inputs", found: "none" });
  }
  const isOfClasses = selection.targets === "classes";
  if (isOfClasses && target.length > 1) {
    const expected = "one column for `target` with `targets: classes`";
    faults.push({ place: "", expected, found: String(target.length) });
  }
  if (faults.length > 0) throw new DataError(file, faults);
  const read = (columns: readonly Column[]) => numbersOf(table, columns, faults);
  const labels = isOfClasses ? labelsOf(table, target[0]!, faults) : null;
  const content: Content = {
    samples: table.rows,
    width: inputs.length,
    inputs: read(inputs),
    targets: labels?.values ?? read(target),
    isTest: split.length === 0 ? null : testsOf(table, split[0]!, faults),
  };
  if (faults.length > 0) throw new DataError(file, faults);
  return { content, facts: factsOf(content, labels?.names ?? null) };
}

/** The columns of these names; a name of several, such as an array of an NPZ, means all of them. */
function columnsNamed(
  { columns }: Table,
  names: readonly string[],
  faults: DataFault[],
): readonly Column[] {
  return names.flatMap((name) => {
    const found = columns.filter((one) => one.name === name || isOfArray(one.name, name));
    if (found.length > 0) return found;
    const known = columns.slice(0, MOST_FAULTS).map((one) => `\`${one.name}\``);
    const expected = `a column among ${known.join(", ")}${columns.length > MOST_FAULTS ? ", …" : ""}`;
    faults.push({ place: "", expected, found: `\`${name}\`` });
    return [];
  });
}

function isOfArray(column: string, array: string): boolean {
  return column.startsWith(`${array}.`) && /^\d+$/.test(column.slice(array.length + 1));
}

/** [rows, columns]. */
function numbersOf(table: Table, columns: readonly Column[], faults: DataFault[]): Float32Array {
  const values = new Float32Array(table.rows * columns.length);
  for (let row = 0; row < table.rows; row++) {
    for (let j = 0; j < columns.length; j++) {
      const given = columns[j]!.values[row]!;
      const value = given === "" ? Number.NaN : Math.fround(Number(given));
      values[row * columns.length + j] = value;
      if (Number.isFinite(value) || faults.length >= MOST_FAULTS) continue;
      const place = `${table.place(row)}, column ${columns[j]!.name}`;
      faults.push({ place, expected: "a finite number", found: found(given) });
    }
  }
  return values;
}

/** Classes in the order of their names: numbers by size, text by code units. */
function labelsOf(
  table: Table,
  { name, values }: Column,
  faults: DataFault[],
): { values: Float32Array; names: string[] } {
  const texts = Array.from(values, (value) => String(value));
  texts.forEach((text, row) => {
    if (text !== "" && text !== "NaN") return;
    if (faults.length >= MOST_FAULTS) return;
    const place = `${table.place(row)}, column ${name}`;
    faults.push({ place, expected: "the name of a class", found: found(text) });
  });
  const names = [...new Set(texts)];
  const areNumbers = names.every((text) => text !== "" && Number.isFinite(Number(text)));
  names.sort(areNumbers ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
  if (names.length < 2 || names.length > MOST_CLASSES) {
    const hint = names.length > 2 ? "; of numbers to be met, say `targets: values`" : "";
    const expected = `from 2 to ${MOST_CLASSES} classes${hint}`;
    faults.push({ place: `column ${name}`, expected, found: String(names.length) });
  }
  const numbers = new Map(names.map((text, number) => [text, number]));
  return { values: Float32Array.from(texts, (text) => numbers.get(text)!), names };
}

const SPLITS: Readonly<Record<string, number>> = { train: 0, test: 1, "0": 0, "1": 1 };

function testsOf(table: Table, { name, values }: Column, faults: DataFault[]): Uint8Array {
  const isTest = Uint8Array.from(values as ArrayLike<string | number>, (value) => {
    return SPLITS[String(value)] ?? 2;
  });
  isTest.forEach((one, row) => {
    if (one < 2 || faults.length >= MOST_FAULTS) return;
    const place = `${table.place(row)}, column ${name}`;
    faults.push({ place, expected: "`train`, `test`, 0 or 1", found: found(values[row]!) });
  });
  for (const [split, value] of [
    ["train", 0],
    ["test", 1],
  ] as const) {
    if (isTest.includes(value) || faults.length > 0) continue;
    faults.push({ place: `column ${name}`, expected: `samples that ${split}`, found: "none" });
  }
  return isTest;
}

function found(value: string | number): string {
  return value === "" ? "nothing" : `\`${value}\``;
}
