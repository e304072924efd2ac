/** The ways in which an axis can be written. */
import * as z from "zod";
import { anyOf, integer, list, section, titleOf } from "./phrases.ts";

/** An axis of numbers as written, after its schema has passed it. */
export type AxisForm =
  | number
  | readonly number[]
  | string
  | { readonly from: number; readonly to: number; readonly step: number }
  | { readonly logspace: { readonly from: number; readonly to: number; readonly count: number } }
  | { readonly count: number; readonly from: number };

type NumberSchema = z.ZodType<number, number>;

/**
 * One value, a list of values, `1..8`, `{from, to, step}`, or one of the `more` forms; `step` is the
 * schema of the difference between neighbouring values of a range.
 */
export function axis<const More extends readonly z.ZodType[]>(
  { value, step }: { value: NumberSchema; step: z.ZodType<number, number | undefined> },
  ...more: More
) {
  const range = section({
    from: value.describe("First value."),
    to: value.describe("Bound of the last value, itself a value where the steps meet it."),
    step: step.describe("Difference between neighbouring values."),
  }).refine(({ from, to }) => from <= to, { path: ["to"], error: "a value ≥ `from`" });
  const shortRange = z
    .string()
    .regex(SHORT_RANGE, { abort: true })
    .refine(
      (text) => range.safeParse({ ...rangeEnds(text), step: 1 }).success,
      `a range \`from..to\` with from ≤ to, each ${titleOf(value)}`,
    );
  const values = list(value, "a list of one or more values");
  const titles = [titleOf(value), "a list of them", RANGE, ...more.map(titleOf)];
  return anyOf(
    [value, values, shortRange.meta({ title: "a range such as `1..8`" }), range, ...more],
    `${titles.slice(0, -1).join(", ")}, or ${titles.at(-1)}`,
  );
}

/** Values in equal ratios. */
export function logspace(value: NumberSchema) {
  return section({
    logspace: section({
      from: value.describe("First value."),
      to: value.describe("Last value."),
      count: integer({ min: 2, max: Number.MAX_SAFE_INTEGER }).describe("How many values."),
    })
      .refine(({ from, to }) => from < to, { path: ["to"], error: "a value > `from`" })
      .describe("Values in equal ratios, of widths and depths rounded to integers."),
  }).meta({ title: "`{logspace: {from, to, count}}`" });
}

const RANGE = "a range such as `1..8` or `{from, to, step}`";
const SHORT_RANGE = /^(-?\d+)\.\.(-?\d+)$/;

/** The two ends of `1..8`. */
export function rangeEnds(text: string): { from: number; to: number } {
  const [, from, to] = SHORT_RANGE.exec(text)!;
  return { from: Number(from), to: Number(to) };
}
