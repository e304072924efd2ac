import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { permutation } from "../numerics/permutation.ts";
import { multiplyHigh, philox4x32 } from "../numerics/philox.ts";
import { type RandomPurpose, randomPurposes, randomStream } from "../numerics/random-stream.ts";

// Random123, tests/kat_vectors, the three lines of "philox4x32 10": counter, key, result.
const knownAnswers = [
  [
    "00000000 00000000 00000000 00000000",
    "00000000 00000000",
    "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
  ],
  [
    "ffffffff ffffffff ffffffff ffffffff",
    "ffffffff ffffffff",
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  ],
  [
    "243f6a88 85a308d3 13198a2e 03707344",
    "a4093822 299f31d0",
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  ],
] as const;

const words = (hex: string) => hex.split(" ").map((word) => Number.parseInt(word, 16));

for (const [counter, key, result] of knownAnswers) {
  test(`philox: counter ${counter} gives Random123's published answer`, () => {
    const block = Uint32Array.from(words(counter));
    const [key0, key1] = words(key);
    philox4x32(block, [key0!, key1!]);
    assert.deepEqual(Array.from(block), words(result));
  });
}

test("philox: the high word of a product is exact", () => {
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const isExact = (a: number, b: number) =>
    BigInt(multiplyHigh(a, b)) === (BigInt(a) * BigInt(b)) >> 32n;
  fc.assert(fc.property(uint32, uint32, isExact), { seed: 1, numRuns: 1000 });
  assert.ok(isExact(2 ** 32 - 1, 2 ** 32 - 1));
});

test("random stream: the same key, purpose and part give the same numbers, any other gives others", () => {
  const draw = (key0: number, key1: number, purpose: RandomPurpose, part: number) =>
    randomStream([key0, key1], purpose, part).uniform();
  assert.equal(draw(1, 2, "weights", 3), draw(1, 2, "weights", 3));
  const purposes = Object.keys(randomPurposes) as RandomPurpose[];
  const others = [draw(0, 2, "weights", 3), draw(1, 3, "weights", 3), draw(1, 2, "weights", 4)];
  const drawn = new Set([...purposes.map((purpose) => draw(1, 2, purpose, 3)), ...others]);
  assert.equal(drawn.size, purposes.length + 3);
});

test("random stream: uniforms lie inside (0, 1) with mean ½ and variance 1/12", () => {
  const { uniform } = randomStream([5, 6], "data", 0);
  const n = 100_000;
  const draws = Float64Array.from({ length: n }, uniform);
  assert.ok(draws.every((u) => u > 0 && u < 1));
  const mean = draws.reduce((sum, u) => sum + u, 0) / n;
  const variance = draws.reduce((sum, u) => sum + (u - 0.5) ** 2, 0) / n;
  // Four standard deviations: of the mean sqrt(1/12n), of the squares sqrt(1/180n).
  assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / (12 * n)));
  assert.ok(Math.abs(variance - 1 / 12) < 4 * Math.sqrt(1 / (180 * n)));
});

test("random stream: integers below n are alike, also for an n that does not divide 2³²", () => {
  const stream = randomStream([7, 8], "order", 1);
  const counts = new Uint32Array(6);
  for (let i = 0; i < 60_000; i++) counts[stream.below(6)]!++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  // The 99.99 % quantile of χ² with five degrees of freedom.
  assert.ok(chiSquare < 25.7, `χ² = ${chiSquare}`);
  const n = 3 * 2 ** 30;
  let low = 0;
  for (let i = 0; i < 40_000; i++) if (stream.below(n) < 2 ** 30) low++;
  // A remainder of division without rejection would give ½; four standard deviations.
  assert.ok(Math.abs(low / 40_000 - 1 / 3) < 4 * Math.sqrt(2 / 9 / 40_000));
});

test("permutation: holds every index once, and every order of three is alike", () => {
  const sorted = permutation(1000, randomStream([1, 1], "order", 1)).sort();
  assert.deepEqual(
    Array.from(sorted),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  const counts = new Map<string, number>();
  for (let part = 0; part < 12_000; part++) {
    const order = permutation(3, randomStream([1, 1], "order", part)).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  const chiSquare = [...counts.values()].reduce(
    (sum, count) => sum + (count - 2000) ** 2 / 2000,
    0,
  );
  assert.equal(counts.size, 6);
  assert.ok(chiSquare < 25.7, `χ² = ${chiSquare}`);
});

test("permutation: one index or none stays as it is", () => {
  const stream = randomStream([1, 1], "order", 1);
  assert.deepEqual(Array.from(permutation(1, stream)), [0]);
  assert.deepEqual(Array.from(permutation(0, stream)), []);
});
