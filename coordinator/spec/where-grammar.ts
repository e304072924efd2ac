/** Operators and functions of `where` constraints: their precedence, operands and meaning. */
import jsep from "jsep";

/** The kind of a part of a constraint; a name is a value of an axis such as `training.optimizer`. */
export type Kind = "number" | "comparison" | "name";

/** A comparison is 1 where it holds and 0 where not. */
export interface BinaryOperator {
  readonly takes: Exclude<Kind, "name">;
  readonly gives: Exclude<Kind, "name">;
  /** Whether it also takes two names. */
  readonly comparesNames: boolean;
  /** A higher value binds tighter. */
  readonly precedence: number;
  readonly apply: (a: number, b: number) => number;
}

const or = connective(1, (a, b) => a || b);
const and = connective(2, (a, b) => a && b);

export const BINARY_OPERATORS: ReadonlyMap<string, BinaryOperator> = new Map([
  ["||", or],
  ["or", or],
  ["&&", and],
  ["and", and],
  ["==", equality((a, b) => a === b)],
  ["!=", equality((a, b) => a !== b)],
  ["<", comparison(4, (a, b) => a < b)],
  ["<=", comparison(4, (a, b) => a <= b)],
  [">", comparison(4, (a, b) => a > b)],
  [">=", comparison(4, (a, b) => a >= b)],
  ["+", arithmetic(5, (a, b) => a + b)],
  ["-", arithmetic(5, (a, b) => a - b)],
  ["*", arithmetic(6, (a, b) => a * b)],
  ["/", arithmetic(6, (a, b) => a / b)],
  ["%", arithmetic(6, (a, b) => a % b)],
  ["**", arithmetic(7, (a, b) => a ** b)],
]);

/** They return the kind that they take, and bind tighter than any binary operator. */
export const UNARY_OPERATORS: ReadonlyMap<
  string,
  { readonly takes: Exclude<Kind, "name">; readonly apply: (a: number) => number }
> = new Map([
  ["-", { takes: "number", apply: (a: number) => -a }],
  ["!", { takes: "comparison", apply: (a: number) => 1 - a }],
  ["not", { takes: "comparison", apply: (a: number) => 1 - a }],
]);

/** From numbers to a number; `arity` is null where any number of arguments ≥ 1 is allowed. */
export const FUNCTIONS: ReadonlyMap<
  string,
  { readonly arity: number | null; readonly apply: (...args: number[]) => number }
> = new Map([
  ["min", { arity: null, apply: Math.min }],
  ["max", { arity: null, apply: Math.max }],
  ["abs", { arity: 1, apply: Math.abs }],
  ["sqrt", { arity: 1, apply: Math.sqrt }],
  ["log", { arity: 1, apply: Math.log }],
  ["exp", { arity: 1, apply: Math.exp }],
  ["floor", { arity: 1, apply: Math.floor }],
]);

// jsep keeps its grammar in module state; nothing else in the program uses it.
jsep.removeAllBinaryOps();
jsep.removeAllUnaryOps();
jsep.removeAllLiterals();
for (const [operator, { precedence }] of BINARY_OPERATORS) {
  jsep.addBinaryOp(operator, precedence, operator === "**");
}
for (const operator of UNARY_OPERATORS.keys()) jsep.addUnaryOp(operator);
// jsep passes a signed term once by itself and, if it is in parentheses, a second time.
jsep.hooks.add("after-token", ({ node }) => {
  if (node?.type === "UnaryExpression") node.inParentheses = node.inParentheses !== undefined;
});

/**
 * The syntax tree of a constraint; names and kinds are not checked yet. A
 * `UnaryExpression` says whether it is `inParentheses`.
 *
 * @throws Error with `index` and `description` where the text is not an expression
 */
export function parseExpression(source: string): jsep.Expression {
  return jsep(source);
}

function connective(precedence: number, apply: BinaryOperator["apply"]): BinaryOperator {
  return { takes: "comparison", gives: "comparison", comparesNames: false, precedence, apply };
}

function equality(holds: (a: number, b: number) => boolean): BinaryOperator {
  return { ...comparison(3, holds), comparesNames: true };
}

function comparison(precedence: number, holds: (a: number, b: number) => boolean): BinaryOperator {
  const apply = (a: number, b: number) => Number(holds(a, b));
  return { takes: "number", gives: "comparison", comparesNames: false, precedence, apply };
}

function arithmetic(precedence: number, apply: BinaryOperator["apply"]): BinaryOperator {
  return { takes: "number", gives: "number", comparesNames: false, precedence, apply };
}
