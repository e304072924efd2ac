import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Addon } from "../engines/native.ts";
import { loadAddon } from "../engines/native.ts";

const addon = loadAddon();

/** One valid call of each function; the fuzz tests spoil its arguments. */
const widths = [2, 3, 2, 1];
const parameters = 3 * 3 + 2 * 4 + 1 * 3;
const network = () => addon.load(Uint32Array.from(widths), 0, 0, floats(parameters));
const floats = (length: number) => new Float32Array(length).fill(0.25);
const noStop = null;

type Arguments = unknown[];
const validCalls: Record<Exclude<keyof Addon, "isa" | "peak">, () => Arguments> = {
  load: () => [Uint32Array.from(widths), 0, 3, floats(parameters)],
  dispose: () => [network()],
  parameters: () => [network(), floats(parameters)],
  field: () => [
    network(),
    floats(5),
    floats(4),
    1,
    1,
    floats(40),
    floats(40),
    floats(40),
    floats(20),
    noStop,
  ],
  exponents: () => [network(), floats(6), floats(14), floats(7), floats(7), noStop],
  activations: () => [network(), floats(14), 2, new Float64Array(14), noStop],
  train: () => [
    network(),
    floats(18),
    floats(9),
    Uint32Array.of(0, 8, 3, 3),
    Float64Array.of(0, 1, 2, 0.001, 0.9, 0.999, 1e-8),
    new Uint8Array(3),
    Float32Array.of(0.01, 0.01),
    floats(4),
    floats(2 * parameters),
    new Float64Array(2),
    noStop,
  ],
};
type Name = keyof typeof validCalls;
const names = Object.keys(validCalls) as Name[];

function call(name: Name, args: Arguments): unknown {
  return (addon[name] as (...args: Arguments) => unknown)(...args);
}

/** Whatever is thrown must be an error for JavaScript; a crash would end the process. */
function survives(name: Name, args: Arguments): boolean {
  try {
    call(name, args);
    return true;
  } catch (error) {
    assert.ok(error instanceof Error, `threw ${String(error)}`);
    return false;
  }
}

for (const name of names) {
  test(`native boundary: ${name} takes what it is meant for`, () => {
    assert.ok(survives(name, validCalls[name]()));
  });

  test(`native boundary: ${name} refuses missing, foreign and detached arguments`, () => {
    const count = validCalls[name]().length;
    for (let index = 0; index < count; index++) {
      const spoil = (value: unknown) => {
        const args = validCalls[name]();
        args[index] = value;
        return args;
      };
      assert.throws(() => call(name, validCalls[name]().slice(0, index)), Error);
      for (const foreign of ["x", {}, [], Symbol("s"), () => 1, new DataView(new ArrayBuffer(8))]) {
        assert.throws(() => call(name, spoil(foreign)), Error, `${index}: ${String(foreign)}`);
      }
      const given = validCalls[name]()[index];
      if (ArrayBuffer.isView(given)) {
        const detached = floatsLike(given);
        structuredClone(detached, { transfer: [detached.buffer as ArrayBuffer] });
        assert.throws(() => call(name, spoil(detached)), RangeError, `${index}: detached`);
        const longer = resized(given, 1);
        // An order may be of any length, and so may a grid's coordinates, if the rest fits.
        if (survives(name, spoil(longer))) assert.ok(name === "train" && index === 3, `${index}`);
        assert.ok(!survives(name, spoil(new BigInt64Array(lengthOf(given)))), `${index}: type`);
      }
    }
  });
}

test("native boundary: random arguments give results or errors, never a crash", () => {
  const length = fc.nat({ max: 60 });
  const anyArray = fc.oneof(
    length.map(floats),
    length.map((n) => new Float64Array(n).fill(1)),
    fc.uint32Array({ maxLength: 30 }),
    fc.uint8Array({ maxLength: 30 }),
    fc.float64Array({ maxLength: 12 }),
    length.map((n) => new Float32Array(new SharedArrayBuffer(4 * n))),
    length.map((n) => new Float32Array(new ArrayBuffer(4 * n + 12), 4, n)),
  );
  const anyValue = fc.oneof(anyArray, fc.anything(), fc.integer(), fc.double());
  const spoiled = fc
    .constantFrom(...names)
    .chain((name) =>
      fc.tuple(fc.constant(name), fc.dictionary(fc.constantFrom(..."0123456789"), anyValue)),
    );
  fc.assert(
    fc.property(spoiled, ([name, changes]) => {
      const args = validCalls[name]();
      for (const [index, value] of Object.entries(changes)) args[Number(index)] = value;
      survives(name, args);
    }),
    { seed: 11, numRuns: 20_000 },
  );
});

test("native boundary: numbers of a rule may be anything", () => {
  const number = fc.oneof(fc.double(), fc.integer({ min: -1, max: 4 }), fc.constant(2 ** 53));
  fc.assert(
    fc.property(
      fc.array(number, { minLength: 7, maxLength: 7 }),
      fc.uint32Array(),
      (rule, order) => {
        const args = validCalls.train();
        args[3] = order.map((sample) => sample % 12);
        args[4] = Float64Array.from(rule);
        survives("train", args);
      },
    ),
    { seed: 12, numRuns: 5_000 },
  );
});

test("native boundary: huge sizes are refused", () => {
  const huge = 2 ** 32 - 1;
  for (const shape of [
    [huge, huge, huge],
    [2, huge, 1],
    [1, 2 ** 31, 2 ** 31, 1],
    [2, 0, 1],
    [2, 1],
    [],
  ]) {
    assert.throws(() => addon.load(Uint32Array.from(shape), 0, 0, floats(20)), RangeError);
  }
});

test("native boundary: samples that are not in the set are refused", () => {
  const args = validCalls.train();
  args[3] = Uint32Array.of(0, 9);
  assert.throws(() => call("train", args), RangeError);
});

test("native boundary: shared and unaligned views are computed with as others are", () => {
  const [handle, inputs] = validCalls.activations() as [object, Float32Array];
  const compute = (from: Float32Array) => {
    const to = new Float64Array(14);
    assert.ok(addon.activations(handle, from, 2, to, null));
    return to;
  };
  const shared = new Float32Array(new SharedArrayBuffer(56));
  const shifted = new Float32Array(new ArrayBuffer(60), 4, 14);
  shared.set(inputs);
  shifted.set(inputs);
  assert.deepEqual(compute(shared), compute(inputs));
  assert.deepEqual(compute(shifted), compute(inputs));
});

test("native boundary: a network that has been disposed of is refused, and disposing twice is not", () => {
  const handle = network();
  addon.dispose(handle);
  addon.dispose(handle);
  assert.throws(() => addon.parameters(handle, floats(parameters)), TypeError);
});

test("native boundary: a stop flag that is up ends every kind of work", () => {
  const up = Int32Array.of(1);
  for (const name of ["field", "exponents", "activations", "train"] as const) {
    const args = validCalls[name]();
    args[args.length - 1] = up;
    assert.equal(call(name, args), false, name);
  }
});

type View = Float32Array | Float64Array | Uint32Array | Uint8Array;

function lengthOf(view: unknown): number {
  return (view as View).length;
}

function floatsLike(view: unknown): View {
  return (view as View).slice();
}

function resized(view: unknown, by: number): View {
  const { length } = view as View;
  return new ((view as View).constructor as new (length: number) => View)(length + by);
}
