/** Summarises a field in a few numbers, for tables and line plots. */
import { join } from "node:path";
import type { FieldGrid, Snapshot } from "../../shared/cell.ts";
import type { Decision } from "../../shared/numerics/decision.ts";
import { decisionOf } from "../../shared/numerics/decision.ts";
import { decodeWeights } from "../../shared/safetensors.ts";
import type { CellRecord, FieldStatistics } from "./cell-record.ts";
import { readIfThere } from "./files.ts";
import { weightsFile } from "./layout.ts";
import { saturatedPoints } from "./saturation.ts";

/** A whole field. */
export interface FieldArrays {
  /** [layers, points, points]; the last layer counts. */
  readonly lambda1: Float32Array;
  /** [points, points]. */
  readonly output: Float32Array;
  readonly grid: FieldGrid;
}

/** The stored network that a field is of. */
export interface FieldNetwork {
  readonly directory: string;
  readonly record: CellRecord;
  readonly snapshot: Snapshot;
}

/** The statistics of a complete field that its cell's record contains. */
export async function statisticsOf(
  { lambda1, output, grid }: FieldArrays,
  { directory, record, snapshot }: FieldNetwork,
): Promise<FieldStatistics> {
  const decision = decisionOf(record.physics.network);
  const statistics = fieldStatistics({ lambda1, output, points: grid.points }, decision);
  if (grid.plane !== undefined) return statistics; // the network is not one of two inputs
  const bytes = await readIfThere(join(directory, weightsFile(record.cell, snapshot)));
  if (bytes === null) return statistics;
  const saturated = await saturatedPoints({
    network: record.physics.network,
    weights: decodeWeights(bytes),
    grid,
    lambda1: lambda1.subarray(lambda1.length - grid.points ** 2),
  });
  return saturated === 0 ? statistics : { ...statistics, saturated };
}

export function fieldStatistics(
  {
    lambda1,
    output,
    points,
  }: Pick<FieldArrays, "lambda1" | "output"> & { readonly points: number },
  decision: Decision = "sign",
): FieldStatistics {
  const last = lambda1.subarray(lambda1.length - points * points);
  const all = moments(last);
  return {
    lambda1Mean: all.mean,
    lambda1Std: all.standardDeviation,
    lambda1Min: all.minimum,
    lambda1Max: all.maximum,
    lambda1Centre: moments(centreOf(last, points)).mean,
    lambda1Boundary: moments(boundaryOf(last, { output, points }, decision)).mean,
    notFinite: last.length - all.count,
  };
}

/** The values of the middle tenth of each side. */
function centreOf(values: Float32Array, points: number): Float32Array {
  const [from, to] = [Math.floor((points * 45) / 100), Math.ceil((points * 55) / 100)]; // 0.55 · 100 > 55
  const side = to - from;
  const picked = new Float32Array(side ** 2);
  for (let row = from; row < to; row++) {
    const middle = values.subarray(row * points + from, row * points + to);
    picked.set(middle, (row - from) * side);
  }
  return picked;
}

/** The values at the points that have a neighbour of another class. */
function boundaryOf(
  values: Float32Array,
  { output, points }: { output: Float32Array; points: number },
  decision: Decision,
): Float32Array {
  const picked = new Float32Array(values.length);
  const label = decision === "label" ? output : new Uint8Array(output.length);
  if (decision === "sign") {
    for (let i = 0; i < output.length; i++) label[i] = output[i]! > 0 ? 1 : 0;
  }
  const last = points - 1;
  let count = 0;
  for (let row = 0; row < points; row++) {
    const up = row > 0 ? points : 0; // at an edge a point is its own neighbour
    const down = row < last ? points : 0;
    for (let column = 0; column < points; column++) {
      const at = row * points + column;
      const here = label[at]!;
      const isInside =
        label[at - up]! === here &&
        label[at + down]! === here &&
        label[column > 0 ? at - 1 : at]! === here &&
        label[column < last ? at + 1 : at]! === here;
      if (!isInside) picked[count++] = values[at]!;
    }
  }
  return picked.subarray(0, count);
}

/** Mean and spread of the finite values (Welford 1962: stable in one pass); null if there is none. */
function moments(values: Float32Array) {
  let count = 0;
  let mean = 0;
  let squares = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    count++;
    const deviation = value - mean;
    mean += deviation / count;
    squares += deviation * (value - mean);
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  if (count === 0) {
    return { count, mean: null, standardDeviation: null, minimum: null, maximum: null };
  }
  return { count, mean, standardDeviation: Math.sqrt(squares / count), minimum, maximum };
}
