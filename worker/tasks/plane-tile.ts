import type { Plane, PlanePoint } from "../../shared/cell.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { InvalidTaskError } from "../../shared/errors.ts";
import type { FieldTask } from "../../shared/messages.ts";
import { sliceCoordinates } from "../../shared/numerics/grid.ts";
import { float64Weights } from "../../shared/numerics/network.ts";
import type { PlaneFrame, ReducedNetwork } from "../../shared/numerics/plane.ts";
import {
  networkInPlane,
  planeAlong,
  planeThrough,
  pointsInPlane,
  reducedNetwork,
} from "../../shared/numerics/plane.ts";
import { planeWork } from "../../shared/work.ts";
import type { Tile, TileTools } from "./field.ts";
import { computeTile } from "./field.ts";
import { generatedSamples } from "./samples.ts";

/**
 * Computes one tile over a plane in input space: within the plane, and of the whole Jacobian.
 * @param given the samples of a data set from files; those of a generated one are made here.
 * @throws InvalidTaskError if there is no such plane; StoppedError when it is asked to stop.
 */
export function computePlaneTile(
  task: FieldTask,
  given: FileSamples | null,
  tools: TileTools,
): Tile {
  const weights = float64Weights(task.network, tools.weights);
  const frame = frameOf(task, given);
  const { scale } = frame;
  const seen = networkInPlane(task.network, weights, frame);
  const { region, points } = task.grid;
  // The coordinates of this network are lengths in input space.
  const inLengths = {
    region: { x: scaled(region.x, scale), y: scaled(region.y, scale) },
    points,
    layers: "last",
  } as const;
  const half = { ...tools, progress: { ...tools.progress, set() {} } };
  const within = computeTile(
    { network: seen.network, grid: inLengths, tile: task.tile },
    { ...half, weights: seen.weights },
  );
  const { lambda1, direction, output } = within;
  const whole = wholeExponents(task, reducedNetwork(task.network, weights, frame), tools);
  return {
    lambda1: whole.lambda1,
    lambda2: whole.lambda2,
    planeLambda1: lambda1,
    direction,
    output,
  };
}

function wholeExponents(
  { network: given, grid, tile }: FieldTask,
  { network, weights, frame }: ReducedNetwork,
  { engine, progress }: TileTools,
) {
  const { columns, rows } = tile;
  const { x, y } = sliceCoordinates(grid, tile);
  const lambda1 = new Float32Array(rows * columns);
  const lambda2 = new Float32Array(rows * columns);
  const height = Math.max(1, Math.floor(engine.callWork / planeWork(given, columns)));
  const loaded = engine.load(network, weights, progress.stopFlag);
  try {
    for (let row = 0; row < rows; row += height) {
      progress.throwIfStopped();
      const points = pointsInPlane(frame, x, y.subarray(row, row + height));
      const found = loaded.exponents(points);
      lambda1.set(found.lambda1, row * columns);
      lambda2.set(found.lambda2, row * columns);
      progress.set(Math.min(1, (row + height) / rows));
    }
    return { lambda1, lambda2 };
  } finally {
    loaded.dispose();
  }
}

function scaled([from, to]: readonly [number, number], by: number): [number, number] {
  return [from * by, to * by];
}

function frameOf({ grid, network, data }: FieldTask, given: FileSamples | null): PlaneFrame {
  const samples = given ?? (needsSamples(grid.plane!) ? generatedSamples(data!) : null);
  const at = (point: PlanePoint) => pointOf(point, samples, network.inputs);
  const plane = grid.plane!;
  if ("axes" in plane) return planeAlong(plane.axes, at(plane.at));
  const [a, b, c] = plane.through;
  try {
    return planeThrough(at(a), at(b), at(c));
  } catch (error) {
    throw new InvalidTaskError((error as Error).message);
  }
}

function needsSamples(plane: Plane): boolean {
  const points = "axes" in plane ? [plane.at] : plane.through;
  return points.some((point) => !Array.isArray(point));
}

function pointOf(point: PlanePoint, samples: FileSamples | null, inputs: number): Float64Array {
  if (!("train" in point) && !("test" in point)) return Float64Array.from(point);
  const [set, index] =
    "train" in point ? [samples!.train, point.train] : [samples!.test, point.test];
  if (index >= set.samples) {
    throw new InvalidTaskError(`expected a sample below ${set.samples}, got ${index}`);
  }
  return Float64Array.from(set.inputs.subarray(index * inputs, (index + 1) * inputs));
}
