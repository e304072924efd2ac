/** A spec's YAML text: its value, its own faults, and the place of each part of the value in the text. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { Fault } from "./spec-error.ts";
import { spellingHint } from "./spelling.ts";
import { readDocument, yamlFaults } from "./yaml-faults.ts";

/** Keys and list positions that lead from the whole spec to one of its parts. */
export type Path = readonly PropertyKey[];

/** A fault before its place in the text is known. Literal words of the spec are in backticks. */
export interface Complaint {
  readonly path: Path;
  readonly expected: string;
  /** Default: what the text has at `path`. */
  readonly found?: string;
  /** Default: a literal word of `expected` whose spelling is similar to what was found; empty: no hint. */
  readonly hint?: string;
  /** The key at the end of `path` is at fault, not its value. */
  readonly concernsKey?: boolean;
  /** The fault is at this character of the string at `path`. */
  readonly offset?: number;
}

export interface SpecText {
  /** The spec as plain values; undefined if the YAML is too broken to have any. */
  readonly value: unknown;
  /** What is wrong with the text as YAML. */
  readonly faults: readonly Fault[];
  /** Gives a complaint its place; what is missing has the place of the map or list where it should be. */
  place(complaint: Complaint): Fault;
}

export function readSpecText(text: string): SpecText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // Only numbers, strings, lists and maps, for any version and tags that the text declares.
    schema: "core",
    resolveKnownTags: false,
  });
  const { value, errors } = readDocument(document);
  return {
    value,
    faults: yamlFaults(errors, lines),
    place: (complaint) => place(complaint, { text, document, lines }),
  };
}

interface Source {
  readonly text: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

function place(complaint: Complaint, { text, document, lines }: Source): Fault {
  const { path, expected, concernsKey = false, offset = 0 } = complaint;
  const { node, key, isMissing } = nodeAt(document, path);
  const start = (concernsKey || isMissing ? key : node)?.range?.[0] ?? 0;
  const { line, col } = lines.linePos(start + lengthBefore(offset, { text, node, start }));
  const word = concernsKey ? path.at(-1) : isScalar(node) ? node.value : undefined;
  const hint =
    complaint.hint ??
    (typeof word === "string" && !isMissing ? spellingHint(word, expected) : undefined);
  return {
    line,
    column: col,
    path: pathText(path),
    expected,
    found: complaint.found ?? (isMissing ? "nothing" : description(concernsKey ? key : node, text)),
    ...(hint ? { hint } : {}),
  };
}

/** The node at a path, with its key; if it is missing, the node that should contain it. */
function nodeAt(document: Document, path: Path) {
  let node = resolved(document.contents, document);
  let key: Node | null = null;
  for (const step of path) {
    const pair = isMap(node) ? pairsOf(node).get(step) : undefined;
    const next = pair?.value ?? (isSeq(node) ? node.items[Number(step)] : undefined);
    if (next === undefined) return { node, key, isMissing: true };
    key = (pair?.key ?? next) as Node;
    node = resolved(next as Node, document);
  }
  return { node, key, isMissing: false };
}

const pairsOfMap = new WeakMap<YAMLMap, Map<unknown, Pair>>();

/** A map's pairs by key; of a repeated key, the last. */
function pairsOf(map: YAMLMap): Map<unknown, Pair> {
  let pairs = pairsOfMap.get(map);
  if (pairs === undefined) {
    pairs = new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : null, pair]));
    pairsOfMap.set(map, pairs);
  }
  return pairs;
}

function resolved(node: Node | null, document: Document): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

/** Characters of the text from a string's beginning to its `offset`; 0 if it is not written literally. */
function lengthBefore(
  offset: number,
  { text, node, start }: { text: string; node: Node | null; start: number },
): number {
  if (offset === 0 || !isScalar(node)) return 0;
  const quote = /['"]/.test(text.charAt(start)) ? 1 : 0;
  return text.startsWith(String(node.value).slice(0, offset), start + quote) ? quote + offset : 0;
}

function description(node: Node | null, text: string): string {
  if (isCollection(node)) {
    const source = text.slice(node.range?.[0], node.range?.[1]);
    const isShort = node.flow === true && source.length <= 40 && !source.includes("\n");
    return isShort ? `\`${source}\`` : isSeq(node) ? "a list" : "a map";
  }
  if (!isScalar(node) || (node.value === null && node.source === "")) return "nothing";
  if (typeof node.value !== "string") return `\`${node.source}\``;
  return JSON.stringify(node.value.length > 60 ? `${node.value.slice(0, 59)}…` : node.value);
}

/** Such as `axes.width[1]`. */
function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}
