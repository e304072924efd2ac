/** What is wrong with a spec as YAML, apart from its content. */
import { type Document, type LineCounter, visit } from "yaml";
import type { Fault } from "./spec-error.ts";

export interface YamlError {
  /** yaml's code, or one of ours. */
  readonly code: string;
  /** Where in the text, from 0. */
  readonly offset: number;
  readonly found: string;
}

/** The document as plain values, undefined if it is too broken to have any, and all its faults. */
export function readDocument(document: Document.Parsed): {
  value: unknown;
  errors: readonly YamlError[];
} {
  const errors = yamlErrors(document);
  // A repeated key affects nothing around it: the rest of the spec can still be checked.
  if (errors.some(({ code }) => code !== "DUPLICATE_KEY")) return { value: undefined, errors };
  try {
    return { value: document.toJS(), errors };
  } catch (error) {
    // yaml refuses aliases of aliases that would expand without bound.
    if (!(error instanceof ReferenceError)) throw error;
    const tooMany = { code: "TOO_MANY_ALIASES", offset: 0, found: error.message };
    return { value: undefined, errors: [...errors, tooMany] };
  }
}

/** The first error of each line, in words: those after it are mostly its consequences. */
export function yamlFaults(errors: readonly YamlError[], lines: LineCounter): Fault[] {
  const faults = new Map<number, Fault>();
  for (const { code, offset, found } of errors) {
    const { line, col: column } = lines.linePos(offset);
    const message = found.charAt(0).toLowerCase() + found.slice(1);
    const phrases = { expected: "valid YAML", found: message, ...YAML_PHRASES[code] };
    if (!faults.has(line)) faults.set(line, { line, column, path: "", ...phrases });
  }
  return [...faults.values()];
}

/** What is expected and found, where yaml's own message is unclear. */
const YAML_PHRASES: Readonly<Record<string, { expected: string; found?: string }>> = {
  ALIAS_WITHOUT_ANCHOR: { expected: "an alias of an anchor above it" },
  DUPLICATE_KEY: { expected: "each key once", found: "the same key again" },
  MULTIPLE_DOCS: { expected: "one YAML document", found: "a second one" },
  TAB_AS_INDENT: { expected: "spaces as indentation", found: "a tab" },
  TOO_MANY_ALIASES: { expected: "aliases that expand to a spec of ordinary size" },
};

function yamlErrors(document: Document.Parsed): YamlError[] {
  const errors = [...document.errors, ...document.warnings].map(({ code, message, pos }) => {
    return { code: code as string, offset: pos[0], found: message };
  });
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document)) return;
      const found = `\`*${alias.source}\``;
      errors.push({ code: "ALIAS_WITHOUT_ANCHOR", offset: alias.range![0], found });
    },
  });
  return errors;
}
