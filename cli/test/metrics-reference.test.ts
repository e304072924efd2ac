import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { describedMetrics, metricsReference } from "../metrics/reference.ts";

test("metrics: docs/metrics.md matches the code", async () => {
  const committed = await readFile(repositoryFile("docs/metrics.md"), "utf8");
  const stale = "run `node --import tsx cli/metrics/write-reference.ts`";
  assert.equal(committed, metricsReference(), stale);
});

test("metrics: names have our prefix; those of counters, and no others, end in _total", () => {
  for (const { name, type, help } of Object.values(describedMetrics()).flat()) {
    assert.match(name, /^ftle_[a-z0-9_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(help, /^[A-Z0-9].*\.$/, name);
  }
});

test("metrics: every label is bounded: no task, no cell, no worker's id in many series", () => {
  const allowed = {
    ...{ sweep: 0, kind: 0, state: 0, status: 0, engine: 0, stream: 0, outcome: 0, source: 0 },
    ...{ id: "ftle_sweep_info", name: "ftle_worker_info" },
    ...{ version: "ftle_build_info", node: "ftle_build_info" },
  } as Record<string, string | 0>;
  for (const { name, labels } of Object.values(describedMetrics()).flat()) {
    for (const label of labels) assert.ok([0, name].includes(allowed[label]!), `${name} ${label}`);
  }
});
