/**
 * The building blocks of the spec's schema. The message of each is a phrase that completes
 * "expected …", with literal words of the spec in backticks; its `title` shows the same phrase in editors.
 */
import * as z from "zod";

interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Bounds that are not themselves allowed. */
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

export function integer(bounds: Bounds) {
  const title = bounded("an integer", bounds);
  return within(z.int(title), bounds, title).meta({ title });
}

/** A finite number. */
export function real(bounds: Bounds = {}) {
  const title = bounded("a number", bounds);
  return within(z.number(title), bounds, title).meta({ title });
}

export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  const title = oneOf(words);
  return z.enum(words, title).meta({ title });
}

/** Such as "one of `a`, `b`". */
export function oneOf(words: readonly string[]): string {
  return words.length === 1 ? literals(words) : `one of ${literals(words)}`;
}

/** One or more elements. */
export function list<Element extends z.ZodType>(element: Element, title: string) {
  return z.array(element, title).min(1, title).meta({ title });
}

/** A map with these keys and no others. */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  /** Where there are too many keys to list: those that are listed, and a phrase for the others. */
  {
    listed = Object.keys(shape),
    others = "",
  }: { listed?: readonly string[]; others?: string } = {},
) {
  const key = listed.length === 0 ? "no options" : `${oneOf(listed)}${others}`;
  const map = `a map of ${literals(listed)}`;
  return z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? key : map),
  });
}

/** One of several forms, distinguished by their structure. */
export function anyOf<const Forms extends readonly z.ZodType[]>(forms: Forms, title: string) {
  return z.union(forms, title).meta({ title });
}

/** The phrase for what a schema accepts. */
export function titleOf(schema: z.ZodType): string {
  const { title } = schema.meta() ?? {};
  if (title === undefined) throw new TypeError("a schema without a title");
  return title;
}

function literals(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

function bounded(noun: string, { min, max, above, below }: Bounds): string {
  const isUnbounded = max === undefined || max === Number.MAX_SAFE_INTEGER;
  if (min !== undefined && !isUnbounded) return `${noun} from ${min} to ${max}`;
  const limits = [
    above === undefined ? [] : `> ${above}`,
    min === undefined ? [] : `≥ ${min}`,
    below === undefined ? [] : `< ${below}`,
    isUnbounded ? [] : `≤ ${max}`,
  ];
  return `${noun} ${limits.flat().join(" and ")}`.trimEnd();
}

function within<Schema extends z.ZodNumber>(schema: Schema, bounds: Bounds, error: string): Schema {
  const { min, max, above, below } = bounds;
  let bound = schema;
  if (min !== undefined) bound = bound.min(min, error);
  if (max !== undefined) bound = bound.max(max, error);
  if (above !== undefined) bound = bound.gt(above, error);
  if (below !== undefined) bound = bound.lt(below, error);
  return bound;
}
