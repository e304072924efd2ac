import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { systemClock } from "../clock.ts";

/** The longest that a timer of Node waits; from here on it goes off after a millisecond. */
const LIMIT_MS = 2 ** 31 - 1;
const HOUR_MS = 3_600_000;

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

function calls(ms: number): { count: () => number; off: () => void } {
  let count = 0;
  const off = systemClock.after(ms, () => count++);
  return { count: () => count, off };
}

test("clock: waits as long as it is asked to, at and beyond the limit of a timer", () => {
  for (const ms of [1, LIMIT_MS - 1, LIMIT_MS, LIMIT_MS + 1, 597 * HOUR_MS, 8_760 * HOUR_MS]) {
    const { count } = calls(ms);
    for (let left = ms - 1; left > 0; left -= LIMIT_MS) mock.timers.tick(Math.min(left, LIMIT_MS));
    assert.equal(count(), 0, `${ms} ms: too early`);
    mock.timers.tick(1);
    assert.equal(count(), 1, `${ms} ms: not in time`);
    mock.timers.tick(LIMIT_MS);
    assert.equal(count(), 1, `${ms} ms: again`);
  }
});

test("clock: a long wait is called off in its later parts, too", () => {
  const { count, off } = calls(3 * LIMIT_MS);
  mock.timers.tick(LIMIT_MS);
  mock.timers.tick(LIMIT_MS);
  off();
  mock.timers.tick(LIMIT_MS);
  mock.timers.tick(LIMIT_MS);
  assert.equal(count(), 0);
});

test("clock: without end is never", () => {
  const { count, off } = calls(Number.POSITIVE_INFINITY);
  for (let i = 0; i < 10; i++) mock.timers.tick(LIMIT_MS);
  assert.equal(count(), 0);
  off();
});
