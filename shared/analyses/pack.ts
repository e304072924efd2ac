/** Findings as results carry them: all arrays in one. */
import type { Analysis, Findings } from "./analysis.ts";

export interface PackedFindings {
  readonly columns: Record<string, number>;
  readonly arrays: { name: string; shape: number[] }[];
  /** The arrays' values, one after another. */
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * In the order of the analysis' description.
 * @throws TypeError if a column or an array is not there, or has other values than its shape says.
 */
export function packed(
  { name, columns, arrays }: Pick<Analysis, "name" | "columns" | "arrays">,
  found: Findings,
): PackedFindings {
  const lacks = (what: string) => new TypeError(`analysis ${name} did not give ${what}`);
  const numbers = columns.map((column) => {
    const value = found.columns[column.name];
    if (value === undefined) throw lacks(`its column ${column.name}`);
    return [column.name, value] as const;
  });
  const parts = arrays.map((array) => {
    const { shape, values } = found.arrays[array.name] ?? { shape: [], values: new Float32Array() };
    const length = shape.reduce((a, b) => a * b, 1);
    if (shape.length !== array.dimensions.length || values.length !== length) {
      throw lacks(`${array.dimensions.join(" × ")} values of ${array.name}`);
    }
    return { name: array.name, shape: [...shape], values };
  });
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return {
    columns: Object.fromEntries(numbers),
    arrays: parts.map(({ name: array, shape }) => ({ name: array, shape })),
    values,
  };
}
