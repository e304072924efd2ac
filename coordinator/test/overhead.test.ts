import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { costModel } from "../plan/cost.ts";
import type { Counts, Overhead } from "../plan/overhead.ts";
import { overheadEstimate } from "../plan/overhead.ts";

const TILE = { trainings: 0, tiles: 1, analyses: 0, points: 256 };
const STATED = { training: 0.01, tile: 0.01, point: 0 };

/** A run in which the threads compute each tile for so long, and each result is stored for so long. */
function simulate(
  overhead: Overhead,
  run: { threads: number; tiles: number; computeSeconds: number; storeSeconds: number },
): void {
  const { threads, tiles, computeSeconds, storeSeconds } = run;
  for (let tile = 1; tile <= tiles; tile++) {
    overhead.finished(TILE, computeSeconds);
    overhead.passed(tile * (computeSeconds / threads + storeSeconds), threads);
  }
}

const isNear = (value: number, expected: number) => Math.abs(value / expected - 1) < 0.1;

test("overhead: counts a stated time for each training, tile and point", () => {
  const overhead = overheadEstimate({ training: 4, tile: 2, point: 0.5 });
  assert.equal(overhead.seconds({ trainings: 1, tiles: 3, analyses: 0, points: 10 }), 15);
});

for (const storeSeconds of [0.0005, 0.2]) {
  for (const threads of [2, 64]) {
    test(`overhead: ${threads} threads that wait ${storeSeconds} s for each result correct the stated time`, () => {
      const overhead = overheadEstimate(STATED);
      simulate(overhead, { threads, tiles: 5_000, computeSeconds: 0.002, storeSeconds });
      assert.ok(isNear(overhead.seconds(TILE), storeSeconds), `${overhead.seconds(TILE)}`);
    });
  }
}

test("overhead: a storing that becomes slower is noticed", () => {
  const overhead = overheadEstimate(STATED);
  const run = { threads: 2, tiles: 10_000, computeSeconds: 0 };
  simulate(overhead, { ...run, storeSeconds: 0.01 });
  for (let tile = 1; tile <= 6_000; tile++) {
    overhead.finished(TILE, 0);
    overhead.passed(100 + 0.1 * tile, 2);
  }
  assert.ok(isNear(overhead.seconds(TILE), 0.1), `${overhead.seconds(TILE)}`);
});

test("overhead: waiting for workers or for a few long tasks says nothing", () => {
  const overhead = overheadEstimate(STATED);
  for (let second = 1; second <= 1_000; second++) overhead.passed(second, 16);
  overhead.finished({ trainings: 4, tiles: 0, analyses: 0, points: 0 }, 3_600);
  for (let second = 1_001; second <= 2_000; second++) overhead.passed(second, 16);
  assert.equal(overhead.seconds(TILE), STATED.tile);
});

test("cost: a run of tiny tasks takes as long as storing their results, however many threads compute", () => {
  const model = costModel({ train: 1e9, field: 1e9 }, overheadEstimate(STATED));
  const load = {
    trainings: 1_000,
    tiles: 0,
    analyses: 0,
    points: 0,
    work: { train: 1e9, field: 0, analysis: 0 },
  };
  assert.equal(model.duration(load, 1), 11);
  assert.equal(model.duration(load, 100), 10.01);
});

test("cost: estimates are neither negative nor undefined, whatever a run shows", () => {
  const time = fc.double({ min: 0, max: 1e6, noNaN: true });
  const counts: fc.Arbitrary<Counts> = fc.record({
    trainings: fc.nat(10),
    tiles: fc.nat(10),
    analyses: fc.nat(10),
    points: fc.nat(1e6),
  });
  const step = fc.record({
    counts,
    work: time,
    computeSeconds: time,
    elapsedSeconds: time, // of two timers, hence not in order
    threads: fc.nat(1_000),
  });
  const property = fc.property(fc.array(step), counts, (steps, left) => {
    const model = costModel({ train: 1e6, field: 1e9 });
    for (const { counts, work, computeSeconds, elapsedSeconds, threads } of steps) {
      model.finished(
        { ...counts, work: { train: work, field: work, analysis: 0 } },
        computeSeconds,
      );
      model.passed(elapsedSeconds, threads);
      const load = { ...left, work: { train: work, field: 0, analysis: 0 } };
      assert.ok(model.overhead(left) >= 0 && model.overhead(left) < Number.POSITIVE_INFINITY);
      assert.ok(model.duration(load, threads) >= 0);
    }
  });
  fc.assert(property, { seed: 13 });
});
