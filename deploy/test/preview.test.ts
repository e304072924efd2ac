import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { repositoryFile } from "../../shared/testing/repository.ts";
import type { Answer, ClassicPanel } from "../grafana/preview/panels.ts";
import { panelFor } from "../grafana/preview/panels.ts";

const FOLDER = repositoryFile("deploy/grafana/dashboards/");
const VARIABLES = { sweep: "s" };
const AT = { x: 0, y: 0, w: 8, h: 8 };

const answer = (metric: Record<string, string>, ...values: [number, string][]): Answer => {
  return { metric, values };
};

for (const file of await readdir(FOLDER)) {
  test(`preview: can draw every panel of ${file}, and asks with all variables replaced`, async () => {
    const { panels } = JSON.parse(await readFile(new URL(file, FOLDER), "utf8"));
    for (const panel of panels as ClassicPanel[]) {
      const drawn = await panelFor(panel, VARIABLES, async ({ expr }) => {
        assert.doesNotMatch(expr, /\$/);
        return [answer({ instance: "a:1", le: "1" }, [10, "1"], [20, "2"])];
      });
      assert.equal(drawn.isEmpty, false);
    }
  });
}

test("preview: series are named by their legends, lie over one another in time, and gaps stay gaps", async () => {
  const target = { refId: "A", expr: "x", legendFormat: "of {{instance}}" };
  const panel = { type: "timeseries", title: "X", gridPos: AT, targets: [target] };
  const { times, series } = await panelFor(panel, VARIABLES, async () => [
    answer({ instance: "a" }, [20, "2"], [10, "NaN"]),
    answer({ instance: "b" }, [30, "3"]),
  ]);
  assert.deepEqual(times, [10, 20, 30]);
  assert.deepEqual(series, [
    { name: "of a", values: [null, 2, null] },
    { name: "of b", values: [null, null, 3] },
  ]);
});

test("preview: buckets stand in order, the last one open, and each shows its own count", async () => {
  const target = { refId: "A", expr: "x", legendFormat: "{{le}}", format: "heatmap" };
  const panel = { type: "heatmap", gridPos: AT, targets: [target] };
  const { series } = await panelFor(panel, VARIABLES, async () =>
    ["+Inf", "10", "0.5", "-1"].map((le, i) => answer({ le }, [1, String(10 - i * i)])),
  );
  assert.deepEqual(
    series.map(({ name, values }) => [name, ...values]),
    [
      ["-1", 1],
      ["0.5", 5],
      ["10", 3],
      ["+Inf", 1],
    ],
  );
});

test("preview: a table has a row for each instance and its columns named, ordered and with units", async () => {
  const organize = {
    excludeByName: { engine: true },
    indexByName: { instance: 1, "Value #A": 2 },
    renameByName: { instance: "Worker", "Value #A": "Memory" },
  };
  const panel = {
    type: "table",
    gridPos: AT,
    targets: [{ refId: "A", expr: "x", instant: true }],
    transformations: [{ id: "organize", options: organize }],
    fieldConfig: {
      defaults: {},
      overrides: [
        {
          matcher: { id: "byName", options: "Memory" },
          properties: [{ id: "unit", value: "bytes" }],
        },
      ],
    },
  };
  const drawn = await panelFor(panel, VARIABLES, async () => [
    answer({ instance: "b", engine: "e" }, [1, "7"]),
    answer({ instance: "a", engine: "e" }, [1, "8"]),
  ]);
  assert.deepEqual("columns" in drawn && [drawn.columns, drawn.rows], [
    [
      { name: "Worker", unit: "short" },
      { name: "Memory", unit: "bytes" },
    ],
    [
      ["a", 8],
      ["b", 7],
    ],
  ]);
});

test("preview: a panel without an answer is empty; one of a type that is not drawn is refused", async () => {
  const panel = { type: "stat", gridPos: AT, targets: [{ refId: "A", expr: "x" }] };
  assert.equal((await panelFor(panel, VARIABLES, async () => [])).isEmpty, true);
  const unknown = { ...panel, type: "nodeGraph" };
  await assert.rejects(
    panelFor(unknown, VARIABLES, async () => []),
    /got nodeGraph/,
  );
});
