/** What is wrong with a spec's form, in the terms of its schema. */
import * as z from "zod";
import { LATTICE_AXES } from "./axis-names.ts";
import { PARAMETERS } from "./parameters.ts";
import { type SpecForm, sweepSchema } from "./schema.ts";
import type { Complaint, Path } from "./spec-text.ts";
import { spellingHint } from "./spelling.ts";

/** Every schema's message completes "expected …"; this names the parts of the spec they are about. */
export function formComplaints(issues: readonly z.core.$ZodIssue[], at: Path = []): Complaint[] {
  const seen = new Set<string>();
  return issues
    .flatMap((issue) => issueComplaints(issue, [...at, ...issue.path]))
    .filter(({ path }) => {
      // A part that breaks several rules of its schema is one fault: their phrase is the same.
      const key = JSON.stringify(path);
      return !seen.has(key) && seen.add(key);
    });
}

function issueComplaints(issue: z.core.$ZodIssue, path: Path): Complaint[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      expected: issue.message,
      concernsKey: true,
      ...(path.join(".") === "axes" ? axisHint(key) : {}),
    }));
  }
  if (issue.code === "invalid_union") {
    return nearestForm(issue, path) ?? [{ path, expected: issue.message }];
  }
  return [{ path, expected: issue.message }];
}

/** The parameter whose path ends with this word, or has a similar spelling. */
function axisHint(key: string): { hint?: string } {
  const paths = [...PARAMETERS.keys()];
  const whole = paths.find((path) => path.endsWith(`.${key}`));
  if (whole !== undefined) return { hint: `did you mean \`${whole}\`?` };
  const hint = spellingHint(key, [...LATTICE_AXES, ...paths].map((name) => `\`${name}\``).join());
  return hint === undefined ? {} : { hint };
}

/**
 * Of the forms that a part may have, the complaints of the one its author seems to have meant: the one
 * that gets deepest into the part before it fails, then the one with the fewest complaints.
 */
function nearestForm(issue: z.core.$ZodIssueInvalidUnion, path: Path): Complaint[] | undefined {
  const depth = (complaints: Complaint[]) => Math.max(...complaints.map((one) => one.path.length));
  return issue.errors
    .filter((issues) => !issues.some(isOtherForm))
    .map((issues) => formComplaints(issues, path))
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
}

/** Whether the part as a whole is not of this form, rather than something in it being wrong. */
function isOtherForm(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && issue.code !== "unrecognized_keys";
}

type Sections = "axes" | "network" | "training";

/** A spec without the parts whose form has faults, defaults filled in. */
export type SoundParts = {
  readonly [K in keyof SpecForm]?:
    | (K extends Sections ? Partial<SpecForm[K]> : SpecForm[K])
    | undefined;
};

export function soundParts(value: unknown): SoundParts {
  return (soundPart(sweepSchema, value) ?? {}) as SoundParts;
}

/** `value` as its schema returns it; if the schema is a map and refuses it, the members of `value` that pass. */
function soundPart(schema: z.ZodType, value: unknown): unknown {
  const { success, data } = schema.safeParse(value);
  if (success) return data;
  if (schema instanceof z.ZodPrefault) return soundPart(schema.unwrap() as z.ZodType, value);
  if (!(schema instanceof z.ZodObject) || typeof value !== "object" || value === null) return;
  const members = Object.entries(schema.shape as Record<string, z.ZodType>);
  const given = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(members.map(([key, member]) => [key, soundPart(member, given[key])]));
}
