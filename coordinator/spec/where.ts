/** The small language of `where` constraints: arithmetic and comparisons over the axes. */
import type jsep from "jsep";
import { axisNamed, axisNames } from "./axis-names.ts";
import { spellingHint } from "./spelling.ts";
import type { ParameterAxis, ParameterValue, ParameterValues } from "./sweep.ts";
import {
  BINARY_OPERATORS,
  FUNCTIONS,
  type Kind,
  parseExpression,
  UNARY_OPERATORS,
} from "./where-grammar.ts";

/** What a constraint can use. */
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
  /** Values of the axes over parameters, by path. */
  readonly parameters: ParameterValues;
}

const VARIABLES = ["width", "depth", "weightVariance", "logGain", "seed"] as const;

interface Problem {
  /** The character of the source where the problem is, from 0. */
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
 * Compiles a constraint such as `width * depth <= 2000` or `optimizer == "adam"`. Operators and functions mean what
 * they mean in JavaScript, but numbers, comparisons and names do not mix. Nothing is run as code.
 *
 * @param parameters the axes over parameters that it may use; an axis of `true` and `false` is a comparison.
 * @throws WhereSyntaxError
 */
export function compileWhere(
  source: string,
  parameters: readonly ParameterAxis[] = [],
): (values: WhereValues) => boolean {
  const term = compile(parse(source), { source, parameters });
  const { valueAt } = ofKind("comparison", { term, expected: EXAMPLE });
  return (values) => valueAt(values) !== 0;
}

/** A compiled part of a constraint. */
interface Term {
  readonly kind: Kind;
  /** A comparison is 1 where it holds and 0 where not; a name is its place in a list of all names. */
  readonly valueAt: (values: WhereValues) => number;
  /** For the name of an axis: its possible values. */
  readonly names?: readonly string[];
  /** For a name in quotes: the name. */
  readonly quoted?: string;
}

/** What compiling a constraint needs. */
interface Scope {
  readonly source: string;
  readonly parameters: readonly ParameterAxis[];
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

/** jsep's `Unexpected "="`, `Expected expression after <`, … as a phrase for what was found. */
function foundText(description: string): string {
  const text = description.replace("Expected", "no");
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function compile(expression: jsep.Expression, scope: Scope): Term {
  const node = expression as jsep.CoreExpression;
  switch (node.type) {
    case "Literal":
      return literal(node, scope);
    case "Identifier":
      return variable(node.name, scope);
    case "MemberExpression":
      return variable(pathOf(node), scope);
    case "UnaryExpression":
      return unary(node, scope);
    case "BinaryExpression":
      return binary(node, scope);
    case "CallExpression":
      return call(node, scope);
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
  SequenceExpression: "a comma",
  ThisExpression: "`this`",
};

function literal({ value, raw }: jsep.Literal, { source }: Scope): Term {
  if (typeof value === "number") return { kind: "number", valueAt: () => value };
  if (typeof value === "string") {
    const place = placeOf(value);
    return { kind: "name", valueAt: () => place, quoted: value };
  }
  throw new WhereSyntaxError({ index: source.indexOf(raw), expected: "a number", found: raw });
}

/** `training.batch` as jsep represents it. */
function pathOf({ object, property, computed }: jsep.MemberExpression): string {
  const parts = [object, property].map((part) => {
    const node = part as jsep.CoreExpression;
    if (node.type === "MemberExpression") return pathOf(node);
    return node.type === "Identifier" && !computed ? node.name : "?";
  });
  return parts.join(".");
}

function variable(name: string, scope: Scope): Term {
  const known = VARIABLES.find((candidate) => candidate === name);
  if (known) return { kind: "number", valueAt: (values) => values[known] };
  const paths = scope.parameters.map(({ path }) => path);
  const path = axisNamed(name, paths);
  if (path !== undefined) return parameter(scope.parameters.find((axis) => axis.path === path)!);
  throw unknownName(name, { ...scope, known: [...VARIABLES, ...axisNames(paths).values()] });
}

function parameter({ path, values }: ParameterAxis): Term {
  if (typeof values[0] === "string") {
    const places = new Map(values.map((value) => [value, placeOf(String(value))]));
    const valueAt = ({ parameters }: WhereValues) => places.get(parameters[path]!)!;
    return { kind: "name", valueAt, names: values.map(String) };
  }
  const kind = typeof values[0] === "boolean" ? "comparison" : "number";
  return { kind, valueAt: ({ parameters }) => Number(parameters[path]) };
}

const allNames: ParameterValue[] = [];

/** Names are compared by their place in one list. */
function placeOf(name: string): number {
  const place = allNames.indexOf(name);
  return place >= 0 ? place : allNames.push(name) - 1;
}

function unary({ operator, argument }: jsep.UnaryExpression, scope: Scope): Term {
  const { takes, apply } = UNARY_OPERATORS.get(operator)!;
  const term = compile(argument, scope);
  const { valueAt } = ofKind(takes, { term, expected: `a ${takes} after \`${operator}\`` });
  return { kind: takes, valueAt: (values) => apply(valueAt(values)) };
}

function binary({ operator, left, right }: jsep.BinaryExpression, scope: Scope): Term {
  const { takes, gives, comparesNames, apply } = BINARY_OPERATORS.get(operator)!;
  if (operator === "**" && left.type === "UnaryExpression" && !left.inParentheses) {
    // Mathematics reads −a² as −(a²), jsep as (−a)²; JavaScript refuses it, too.
    throw new WhereSyntaxError({
      index: 0,
      expected: "no sign in front of a power",
      found: `\`${left.operator}\` before \`**\``,
      hint: "set parentheses",
    });
  }
  const sides = [left, right].map((side) => compile(side, scope)) as [Term, Term];
  const isOfNames = comparesNames && sides.some(({ kind }) => kind === "name");
  if (isOfNames) refuseStrangeName(sides, scope);
  const [a, b] = sides.map((term, i) => {
    const kind = isOfNames ? "name" : takes;
    const expected = `a ${kind} ${i === 0 ? "before" : "after"} \`${operator}\``;
    return ofKind(kind, { term, expected });
  });
  return { kind: gives, valueAt: (values) => apply(a!.valueAt(values), b!.valueAt(values)) };
}

/** A name in quotes must be a value of the axis that it is compared with: else the comparison is useless. */
function refuseStrangeName([a, b]: readonly [Term, Term], { source }: Scope): void {
  const names = a.names ?? b.names;
  const quoted = a.quoted ?? b.quoted;
  if (names === undefined || quoted === undefined || names.includes(quoted)) return;
  const expected = `one of ${names.map((name) => `\`${name}\``).join(", ")}`;
  throw new WhereSyntaxError({
    index: source.indexOf(quoted),
    expected,
    found: JSON.stringify(quoted),
    hint: spellingHint(quoted, expected),
  });
}

function call({ callee, arguments: args }: jsep.CallExpression, scope: Scope): Term {
  const name = callee.type === "Identifier" ? String(callee.name) : "";
  const known = FUNCTIONS.get(name);
  if (!known) throw unknownName(name, { ...scope, known: [...FUNCTIONS.keys()] });
  const { arity, apply } = known;
  if (args.length === 0 || (arity !== null && args.length !== arity)) {
    throw new WhereSyntaxError({
      index: indexOfName(name, scope.source),
      expected: `\`${name}\` of ${arity === 1 ? "one number" : "one or more numbers"}`,
      found: `${args.length} arguments`,
    });
  }
  const expected = `a number as argument of \`${name}\``;
  const terms = args.map((arg) => ofKind("number", { term: compile(arg, scope), expected }));
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
    hint: hintFor(kind, term),
  });
}

function hintFor(kind: Kind, { kind: found }: Term): string | undefined {
  if (kind === "name") return 'put names in quotes: `optimizer == "adam"`';
  if (found === "name") return "names can only be compared, by `==` and `!=`";
  return kind === "number" ? "join comparisons with `and`" : undefined;
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

/** jsep does not say where a name is; this takes the first place where it is a whole word. */
function indexOfName(name: string, source: string): number {
  for (const match of source.matchAll(/[\w$.\u0080-\uffff]+/g)) {
    if (match[0] === name) return match.index;
  }
  return 0;
}
