/** The small language of `where` constraints: arithmetic and comparisons over the axes. */
import type jsep from "jsep";
import { spellingHint } from "./spelling.ts";
import {
  BINARY_OPERATORS,
  FUNCTIONS,
  type Kind,
  parseExpression,
  UNARY_OPERATORS,
} from "./where-grammar.ts";

/** What a constraint can speak of. */
export interface WhereValues {
  /** N, the width of the widest hidden layer. */
  readonly width: number;
  /** L, the number of hidden layers. */
  readonly depth: number;
  /** σ_w² of an N→N layer, N the width of the first hidden layer. */
  readonly weightVariance: number;
  /** ln(G·N·σ_w²), 0 at criticality. */
  readonly logGain: number;
  readonly seed: number;
}

const VARIABLES: readonly (keyof WhereValues)[] = [
  "width",
  "depth",
  "weightVariance",
  "logGain",
  "seed",
];

interface Problem {
  /** Character of the source at which it goes wrong, from 0. */
  readonly index: number;
  readonly expected: string;
  readonly found: string;
  readonly hint?: string | undefined;
}

/** A constraint that cannot be understood. */
export class WhereSyntaxError extends SyntaxError {
  override readonly name = "WhereSyntaxError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`expected ${problem.expected}, found ${problem.found}`);
    this.problem = problem;
  }
}

/**
 * Compiles a constraint such as `width * depth <= 2000`. Operators and functions mean what they mean
 * in JavaScript, but numbers and comparisons do not mix. Nothing is run as code.
 *
 * @throws WhereSyntaxError
 */
export function compileWhere(source: string): (values: WhereValues) => boolean {
  const term = compile(parse(source), source);
  const { valueAt } = ofKind("comparison", { term, expected: EXAMPLE });
  return (values) => valueAt(values) !== 0;
}

/** A compiled part of a constraint. */
interface Term {
  readonly kind: Kind;
  /** A comparison is 1 where it holds and 0 where not. */
  readonly valueAt: (values: WhereValues) => number;
}

const EXAMPLE = "a comparison such as `width * depth <= 2000`";

function parse(source: string): jsep.CoreExpression {
  try {
    return parseExpression(source) as jsep.CoreExpression;
  } catch (error) {
    const { index, description } = error as { index?: number; description?: string };
    if (index === undefined || description === undefined) throw error;
    throw new WhereSyntaxError({
      index,
      expected: EXAMPLE,
      found: foundText(description),
      hint: description === 'Unexpected "="' ? "equality is written ==" : undefined,
    });
  }
}

/** jsep's `Unexpected "="`, `Expected expression after <`, … as what was found. */
function foundText(description: string): string {
  const text = description.replace("Expected", "no");
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function compile(expression: jsep.Expression, source: string): Term {
  const node = expression as jsep.CoreExpression;
  switch (node.type) {
    case "Literal":
      return literal(node, source);
    case "Identifier":
      return variable(node.name, source);
    case "UnaryExpression":
      return unary(node, source);
    case "BinaryExpression":
      return binary(node, source);
    case "CallExpression":
      return call(node, source);
    case "Compound":
      throw new WhereSyntaxError({
        index: 0,
        expected: EXAMPLE,
        found: node.body.length === 0 ? "nothing" : "several expressions side by side",
      });
    default:
      throw new WhereSyntaxError({
        index: 0,
        expected: "names, numbers, operators and functions",
        found: KIND_OF_EXPRESSION[node.type] ?? node.type,
      });
  }
}

const KIND_OF_EXPRESSION: Readonly<Record<string, string>> = {
  ArrayExpression: "a list",
  ConditionalExpression: "`? :`",
  MemberExpression: "a member of an object",
  SequenceExpression: "a comma",
  ThisExpression: "`this`",
};

function literal({ value, raw }: jsep.Literal, source: string): Term {
  if (typeof value === "number") return { kind: "number", valueAt: () => value };
  throw new WhereSyntaxError({ index: source.indexOf(raw), expected: "a number", found: raw });
}

function variable(name: string, source: string): Term {
  const known = VARIABLES.find((candidate) => candidate === name);
  if (known) return { kind: "number", valueAt: (values) => values[known] };
  throw unknownName(name, { source, known: VARIABLES });
}

function unary({ operator, argument }: jsep.UnaryExpression, source: string): Term {
  const { takes, apply } = UNARY_OPERATORS.get(operator)!;
  const term = compile(argument, source);
  const { valueAt } = ofKind(takes, { term, expected: `a ${takes} after \`${operator}\`` });
  return { kind: takes, valueAt: (values) => apply(valueAt(values)) };
}

function binary({ operator, left, right }: jsep.BinaryExpression, source: string): Term {
  const { takes, gives, apply } = BINARY_OPERATORS.get(operator)!;
  if (operator === "**" && left.type === "UnaryExpression" && !left.inParentheses) {
    // Mathematics reads −a² as −(a²), jsep as (−a)²; JavaScript refuses it, too.
    throw new WhereSyntaxError({
      index: 0,
      expected: "no sign in front of a power",
      found: `\`${left.operator}\` before \`**\``,
      hint: "set parentheses",
    });
  }
  const [a, b] = [left, right].map((side) => {
    const expected = `a ${takes} ${side === left ? "before" : "after"} \`${operator}\``;
    return ofKind(takes, { term: compile(side, source), expected });
  });
  return { kind: gives, valueAt: (values) => apply(a!.valueAt(values), b!.valueAt(values)) };
}

function call({ callee, arguments: args }: jsep.CallExpression, source: string): Term {
  const name = callee.type === "Identifier" ? String(callee.name) : "";
  const known = FUNCTIONS.get(name);
  if (!known) throw unknownName(name, { source, known: [...FUNCTIONS.keys()] });
  const { arity, apply } = known;
  if (args.length === 0 || (arity !== null && args.length !== arity)) {
    throw new WhereSyntaxError({
      index: indexOfName(name, source),
      expected: `\`${name}\` of ${arity === 1 ? "one number" : "one or more numbers"}`,
      found: `${args.length} arguments`,
    });
  }
  const expected = `a number as argument of \`${name}\``;
  const terms = args.map((arg) => ofKind("number", { term: compile(arg, source), expected }));
  return {
    kind: "number",
    valueAt: (values) => apply(...terms.map(({ valueAt }) => valueAt(values))),
  };
}

function ofKind(kind: Kind, { term, expected }: { term: Term; expected: string }): Term {
  if (term.kind === kind) return term;
  throw new WhereSyntaxError({
    index: 0,
    expected,
    found: `a ${term.kind}`,
    hint: kind === "number" ? "join comparisons with `and`" : undefined,
  });
}

function unknownName(
  name: string,
  { source, known }: { source: string; known: readonly string[] },
): WhereSyntaxError {
  const expected = `one of ${known.map((word) => `\`${word}\``).join(", ")}`;
  const index = indexOfName(name, source);
  return new WhereSyntaxError({
    index,
    expected,
    found: `\`${name}\``,
    hint: spellingHint(name, expected),
  });
}

/** jsep does not say where a name stands; the first place where it stands alone is as good as any. */
function indexOfName(name: string, source: string): number {
  for (const match of source.matchAll(/[\w$\u0080-\uffff]+/g)) {
    if (match[0] === name) return match.index;
  }
  return 0;
}
