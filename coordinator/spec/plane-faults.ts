/** What is wrong with the plane of a field, given the data set. */
import type { Plane, PlanePoint } from "../../shared/cell.ts";
import type { Facts } from "../../shared/datasets/content.ts";
import type { SampleCounts } from "../../shared/datasets/data-set.ts";
import { dataSet, makeDataSet, shapeOf } from "../../shared/datasets/registry.ts";
import { planeThrough } from "../../shared/numerics/plane.ts";
import { resolveData } from "./resolve-sections.ts";
import type { SpecForm } from "./schema.ts";
import type { Complaint, Path } from "./spec-text.ts";

type GridForm = Exclude<NonNullable<SpecForm["field"]>, "none">;

export function planeComplaints(
  field: GridForm,
  data: SpecForm["data"],
  facts: Facts | null,
): Complaint[] {
  const plane = field.plane!;
  const resolved = resolveData(data);
  const shape = shapeOf(resolved, facts);
  if (shape === null) return []; // its files have not been read
  const { inputs } = shape;
  const counts = countsOf(resolved, facts);
  const complaints: Complaint[] = [];
  const path: Path = ["field", "plane"];
  if (field.layers === "all") {
    complaints.push({ path: ["field", "layers"], expected: "`last`, as the field has a plane" });
  }
  if ("axes" in plane) {
    if (field.region === undefined) {
      complaints.push({
        path,
        expected: "a `region` of `field` in the two inputs",
        concernsKey: true,
      });
    }
    plane.axes.forEach((axis, i) => {
      if (axis < inputs) return;
      complaints.push({ path: [...path, "axes", i], expected: `an input below ${inputs}` });
    });
  }
  const points = pointsOf(plane);
  for (const [at, point] of points) {
    const expected = pointFault(point, inputs, counts);
    if (expected !== null) complaints.push({ path: [...path, ...at], expected });
  }
  return complaints.length > 0 ? complaints : onLine(plane, path);
}

function pointsOf(plane: Plane): [Path, PlanePoint][] {
  if ("axes" in plane) return [[["at"], plane.at]];
  return plane.through.map((point, i) => [["through", i], point]);
}

function pointFault(point: PlanePoint, inputs: number, counts: SampleCounts): string | null {
  if ("train" in point) return sampleFault(point.train, counts.train);
  if ("test" in point) return sampleFault(point.test, counts.test);
  return point.length === inputs ? null : `${inputs} numbers, as the data set has inputs`;
}

function sampleFault(index: number, count: number): string | null {
  return index < count ? null : `a sample below ${count}, their number`;
}

/** Points given as numbers, and samples by their numbers, must not be one or on a line. */
function onLine(plane: Plane, path: Path): Complaint[] {
  if ("axes" in plane) return [];
  const expected = "three points that do not lie on a line";
  const texts = new Set(plane.through.map((point) => JSON.stringify(point)));
  if (texts.size < 3) return [{ path: [...path, "through"], expected }];
  const numbers = plane.through.filter((point) => Array.isArray(point));
  if (numbers.length < 3) return [];
  try {
    const [a, b, c] = numbers.map((point) => Float64Array.from(point as readonly number[]));
    planeThrough(a!, b!, c!);
    return [];
  } catch {
    return [{ path: [...path, "through"], expected }];
  }
}

function countsOf(data: ReturnType<typeof resolveData>, facts: Facts | null): SampleCounts {
  const definition = dataSet(data.name);
  if (definition.source !== undefined) return definition.counts(data.options, facts!);
  const { train, test } = makeDataSet(data.name, data.options);
  return { train: train.samples, test: test.samples };
}
