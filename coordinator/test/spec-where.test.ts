import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import { compileWhere, WhereSyntaxError, type WhereValues } from "../spec/where.ts";

const VALUES: WhereValues = {
  width: 50,
  depth: 4,
  weightVariance: 0.02,
  logGain: 0,
  seed: 3,
  parameters: {},
};
const PROPERTY = { seed: 20_240_131, numRuns: 500 };

const HOLDS: readonly [constraint: string, holds: boolean][] = [
  ["width * depth <= 200", true],
  ["width * depth < 200", false],
  ["1 + 2 * 3 ** 2 == 19", true],
  ["2 ** 3 ** 2 == 512", true],
  ["10 - 4 - 3 == 3", true],
  ["(-2) ** 2 == 4 and -(2 ** 2) == -4", true],
  ["7 % 4 * 2 == 6", true],
  ["width > 20 and depth > 20 or seed == 3", true],
  ["width > 20 && (depth > 20 || seed != 3)", false],
  ["not (width > 20)", false],
  ["!(width > 20) || -seed < 0", true],
  ["min(width, depth, 7) == 4 and max(seed) == 3", true],
  ["abs(-3) + sqrt(16) + floor(2.9) == 9", true],
  ["log(exp(logGain)) == 0", true],
  ["weightVariance >= 0.02", true],
  ["width / 0 > 1e300", true],
  ["0 / 0 == 0 / 0", false],
];

for (const [constraint, holds] of HOLDS) {
  test(`where: ${constraint} is ${holds}`, () => {
    assert.equal(compileWhere(constraint)(VALUES), holds);
  });
}

/** Source text of an expression that JavaScript reads as well. */
const numbers = fc.letrec<{ number: string }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom("width", "depth", "weightVariance", "logGain", "seed"),
    fc.nat(20).map(String),
    fc.double({ min: 0, max: 1e3, noNaN: true }).map(String),
    tie("number").map((a) => `(${a})`),
    tie("number").map((a) => `-(${a})`),
    fc
      .tuple(tie("number"), fc.constantFrom("+", "-", "*", "/", "%"), tie("number"))
      .map((parts) => parts.join(" ")),
    fc.tuple(tie("number"), tie("number")).map(([a, b]) => `(${a}) ** (${b})`),
    fc
      .tuple(fc.constantFrom("abs", "sqrt", "log", "exp", "floor"), tie("number"))
      .map(([name, a]) => `${name}(${a})`),
    fc
      .tuple(fc.constantFrom("min", "max"), tie("number"), tie("number"))
      .map(([name, a, b]) => `${name}(${a}, ${b})`),
  ),
})).number;

const comparisons = fc.letrec<{ comparison: string }>((tie) => ({
  comparison: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc
      .tuple(numbers, fc.constantFrom("<", "<=", ">", ">=", "==", "!="), numbers)
      .map((parts) => parts.join(" ")),
    tie("comparison").map((a) => `!(${a})`),
    fc
      .tuple(tie("comparison"), fc.constantFrom("&&", "||"), tie("comparison"))
      .map((parts) => parts.join(" ")),
  ),
})).comparison;

test("where: any constraint means what it means in JavaScript", () => {
  const { min, max, abs, sqrt, log, exp, floor } = Math;
  const context = vm.createContext({ ...VALUES, min, max, abs, sqrt, log, exp, floor });
  fc.assert(
    fc.property(comparisons, (source) => {
      assert.equal(compileWhere(source)(VALUES), vm.runInContext(source, context));
    }),
    PROPERTY,
  );
});

test("where: every text is either a constraint or a syntax error", () => {
  const words = fc.constantFrom(
    ..."width depth 3 .5 ( ) , ; ? : [ ] { } ' \" ` ! not and or < = == + - * ** / % . ?. => this null".split(
      " ",
    ),
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words).map((parts) => parts.join(" ")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.equal(typeof compileWhere(text)(VALUES), "boolean");
      } catch (error) {
        if (!(error instanceof WhereSyntaxError)) throw error;
        assert.ok(error.problem.index >= 0 && error.problem.index <= text.length);
      }
    }),
    PROPERTY,
  );
});

for (const name of [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "hidden",
  "process",
]) {
  test(`where: ${name} is neither a variable nor a function`, () => {
    for (const source of [`${name} < 1`, `${name}(1) < 1`, `width < ${name}`]) {
      assert.throws(() => compileWhere(source), WhereSyntaxError);
    }
  });
}

const REFUSED: readonly [constraint: string, index: number, expected: string, found: string][] = [
  ["", 0, "a comparison such as `width * depth <= 2000`", "nothing"],
  ["width", 0, "a comparison such as `width * depth <= 2000`", "a number"],
  [
    "width < 3 depth",
    0,
    "a comparison such as `width * depth <= 2000`",
    "several expressions side by side",
  ],
  ["(width < 3", 10, "a comparison such as `width * depth <= 2000`", "unclosed ("],
  ["width | 3", 6, "a comparison such as `width * depth <= 2000`", 'unexpected "|"'],
  ["width === 3", 8, "a comparison such as `width * depth <= 2000`", "no expression after =="],
  ["width + (depth < 3) > 1", 0, "a number after `+`", "a comparison"],
  ["width and depth > 2", 0, "a comparison before `and`", "a number"],
  ["not width < 3", 0, "a comparison after `not`", "a number"],
  ["-(width < 3) < 1", 0, "a number after `-`", "a comparison"],
  ["min(width < 3) < 1", 0, "a number as argument of `min`", "a comparison"],
  ["-width ** 2 < 3", 0, "no sign in front of a power", "`-` before `**`"],
  ["depth < 3 and min() < 1", 14, "`min` of one or more numbers", "0 arguments"],
  ["width < 'ten'", 0, "a number after `<`", "a name"],
  ["width ? 1 : 2", 0, "names, numbers, operators and functions", "`? :`"],
  ["[width] < 3", 0, "names, numbers, operators and functions", "a list"],
];

for (const [source, index, expected, found] of REFUSED) {
  test(`where: "${source}" is refused for ${found}`, () => {
    assert.throws(
      () => compileWhere(source),
      (error: WhereSyntaxError) => {
        const { hint: _, ...problem } = error.problem;
        assert.deepEqual(problem, { index, expected, found });
        return true;
      },
    );
  });
}
