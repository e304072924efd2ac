import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerStatus } from "../../shared/transport/transport.ts";
import { createWorkerRoll } from "../metrics/worker-roll.ts";

function worker(name: string, seen: number, engine = "native-f32.1"): WorkerStatus {
  const rates = { train: 1, field: 1 };
  return { name, engine, threads: 4, version: "0", rates, since: 0, seen, running: [] };
}

const crew = (alive: number, silent: number, engine = "native-f32.1") => {
  return { engine, alive, silent, threads: 4 * alive };
};

test("workers: one whose heartbeats stop is silent after a while, and counted as lost once", () => {
  const roll = createWorkerRoll(100);
  roll.observe([worker("a", 1), worker("b", 1)], 0);
  roll.observe([worker("a", 2), worker("b", 1)], 99);
  assert.deepEqual(roll.engines(), [crew(2, 0)]);
  for (const now of [100, 150, 198]) roll.observe([worker("a", 2), worker("b", 1)], now);
  assert.deepEqual(roll.engines(), [crew(1, 1)]);
  roll.observe([worker("a", 3)], 250); // its record is gone, too
  assert.deepEqual([roll.engines(), roll.lost()], [[crew(1, 0)], 1]);
});

test("workers: a list that is rarely read makes no worker silent", () => {
  const roll = createWorkerRoll(100);
  const first = [worker("a", 1)];
  for (const now of [0, 90, 180]) roll.observe(first, now);
  roll.observe([worker("a", 9)], 400);
  assert.deepEqual([roll.engines(), roll.lost()], [[crew(1, 0)], 0]);
});

test("workers: one that announces its end is not lost; an engine without workers counts 0", () => {
  const roll = createWorkerRoll(100);
  roll.observe([worker("a", 1)], 0);
  roll.observe([], 50);
  roll.observe([], 500);
  assert.deepEqual([roll.engines(), roll.lost()], [[crew(0, 0)], 0]);
});

test("workers: one that returns is alive, and may be lost again; its clock does not matter", () => {
  const roll = createWorkerRoll(100);
  roll.observe([worker("a", 5e12)], 0);
  roll.observe([worker("a", 5e12)], 100);
  roll.observe([worker("a", 7)], 200);
  assert.deepEqual([roll.engines(), roll.lost()], [[crew(1, 0)], 1]);
  roll.observe([worker("a", 7)], 300);
  assert.equal(roll.lost(), 2);
});
