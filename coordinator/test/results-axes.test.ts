import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../shared/errors.ts";
import { planSweep } from "../plan/plan.ts";
import { cellColumns } from "../results/export/table.ts";
import { lineFigure } from "../results/line-plot.ts";
import {
  axisLabel,
  isValue,
  pictureAxes,
  pictureAxis,
  pictureValues,
} from "../results/picture-axes.ts";
import { slicesOf } from "../results/slices.ts";
import { flatRow, summaryRows } from "../results/summary.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import { untouched } from "../store/scan.ts";

const SPEC = `
axes:
  width: 4
  depth: 2
  weightVariance: [1e-3, 0.10, 2.0]
  training.learningRate: [0.05, 0.1]
  training.batch: [20, 50]
  training.optimizer: [sgd, adam]
  data.seed: [1, 2]
  seed: {count: 2}
where: weightVariance < 1
data: {name: circle, samples: 50}
`;

const parsed = parseSweep(SPEC, { file: "a.yaml" });
assert.ok("sweep" in parsed);
const { sweep } = parsed;
const plan = planSweep(sweep, "e.1");
const cells = plan.cells.map(untouched);
const state = { cells, dead: new Set<string>(), damaged: [] };

function slices(options: Parameters<typeof slicesOf>[1]) {
  return slicesOf({ sweep, plan, cells }, options);
}

function isUsageError(text: string) {
  return (error: unknown) => error instanceof UsageError && error.message.includes(text);
}

test("picture axes: those of the sweep, by the shortest unambiguous name", () => {
  assert.deepEqual(pictureAxes(sweep), [
    ...["width", "depth", "hidden", "weightVariance"],
    ...["data.seed", "optimizer", "learningRate", "batch", "snapshot", "seed"],
  ]);
  assert.equal(pictureAxis(sweep, "training.batch"), "batch");
  assert.throws(() => pictureAxis(sweep, "momentum"), isUsageError("one of width, depth"));
});

test("slices: rows and columns are named by path or last part, and the rest is one figure each", () => {
  const found = slices({ rows: "training.batch", columns: "learningRate" });
  assert.equal(found.length, 2 * 2 * 2 * 2);
  const [first] = found;
  assert.deepEqual(first!.rows, { axis: "batch", values: ["20", "50"] });
  assert.deepEqual(first!.columns, { axis: "learningRate", values: ["0.05", "0.1"] });
  assert.deepEqual(
    first!.fixed.map(([axis]) => axis),
    ["weightVariance", "data.seed", "optimizer", "seed"],
  );
  assert.throws(
    () => slices({ rows: "batch", columns: "training.batch" }),
    isUsageError("two axes, got batch for both"),
  );
});

test("slices: a value is found in any notation", () => {
  for (const value of ["1e-3", "0.001", "0.0010"]) {
    assert.equal(
      slices({ only: { weightVariance: value, batch: "2e1" } })[0]!.exhibits.length > 0,
      true,
    );
  }
  assert.throws(
    () => slices({ only: { optimizer: "rmsprop" } }),
    isUsageError("expected optimizer to be one of sgd, adam; got rmsprop"),
  );
  assert.throws(() => slices({ only: { nope: "1" } }), isUsageError("got nope"));
});

test("values: numbers are equal as numbers, names as they are, and gains without their word", () => {
  assert.ok(isValue("0.10", "0.1") && isValue("1e-3", "0.001") && isValue("adam", "adam"));
  assert.ok(isValue("0.3", "logGain 0.3") && isValue("logGain 0.30", "logGain 0.3"));
  assert.ok(!isValue("", "0") && !isValue("adam", "sgd") && !isValue("0", ""));
});

test("labels: name what varies, numbers with at most four digits", () => {
  assert.equal(axisLabel("learningRate", "0.0123456"), "learningRate = 0.01235");
  assert.equal(axisLabel("optimizer", "adam"), "optimizer adam");
  assert.equal(axisLabel("width", "10"), "N = 10");
});

test("summary: a column for each parameter behind the axes that every sweep has, described in tables", () => {
  const [row] = summaryRows(plan, state);
  const flat = flatRow(row!);
  const names = Object.keys(flat);
  assert.deepEqual(names.slice(6, 12), [
    ...["seed", "data.seed", "optimizer", "learningRate", "batch", "snapshot"],
  ]);
  assert.deepEqual(
    ["data.seed", "optimizer", "learningRate", "batch"].map((name) => flat[name]),
    [1, "sgd", 0.05, 20],
  );
  const columns = cellColumns(sweep, { isSaturated: false, analyses: [] });
  assert.deepEqual(Object.keys(columns), names);
  assert.deepEqual(
    ["data.seed", "optimizer", "learningRate", "batch"].map((name) => columns[name]!.type),
    ["int64", "string", "float64", "int64"],
  );
});

test("lines: against any axis of numbers, a series for each value of any, and a note of what is averaged", () => {
  const points = new Map(plan.cells.map(({ id, point }) => [id, point]));
  const rows = summaryRows(plan, state).map((row) => {
    const values = pictureValues(sweep, { point: points.get(row.cell)!, snapshot: row.snapshot });
    return { row: { ...row, testAccuracy: row.seed }, values };
  });
  const look = { quantity: "testAccuracy", logX: false } as const;
  const against = (axis: string, series: string | null) =>
    lineFigure({ sweep, plan }, rows, { ...look, against: axis, series });
  const figure = against("training.learningRate", "training.batch");
  assert.deepEqual([...new Set(figure.points.map(({ x }) => x))], [0.05, 0.1]);
  assert.deepEqual(
    [...new Set(figure.points.map(({ series }) => series))],
    ["batch = 20", "batch = 50"],
  );
  assert.equal(figure.note, "mean over weightVariance, data.seed, optimizer, seed");
  assert.equal(figure.x.title, "learningRate");
  assert.throws(
    () => against("optimizer", null),
    isUsageError("optimizer has names: try --series"),
  );
  assert.throws(() => against("nope", null), isUsageError("got nope"));
});
