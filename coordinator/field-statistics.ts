/** A field in a few numbers, for tables and line plots. */

/** Over the points of one field, of λ₁ of the last hidden layer; null where there is no such point. */
export interface FieldStatistics {
  readonly lambda1Mean: number | null;
  /** Population standard deviation. */
  readonly lambda1Std: number | null;
  readonly lambda1Min: number | null;
  readonly lambda1Max: number | null;
  /** Mean over the points of the middle tenth of each side. */
  readonly lambda1Centre: number | null;
  /** Mean over the points beside which the output changes its sign: the decision boundary. */
  readonly lambda1Boundary: number | null;
  /** Points whose λ₁ is not finite. */
  readonly notFinite: number;
}

/**
 * @param lambda1 [layers, points, points]; the last layer counts.
 * @param output [points, points].
 */
export function fieldStatistics(
  lambda1: Float32Array,
  output: Float32Array,
  points: number,
): FieldStatistics {
  const last = lambda1.subarray(lambda1.length - points * points);
  const [from, to] = [Math.floor((points * 45) / 100), Math.ceil((points * 55) / 100)]; // 0.55 · 100 > 55
  const isMiddle = (i: number) => i >= from && i < to;
  const centre = pick(last, points, (row, column) => isMiddle(row) && isMiddle(column));
  const boundary = pick(last, points, (row, column) => {
    const at = row * points + column;
    const isPositive = output[at]! > 0;
    return (
      (row > 0 && output[at - points]! > 0 !== isPositive) ||
      (row < points - 1 && output[at + points]! > 0 !== isPositive) ||
      (column > 0 && output[at - 1]! > 0 !== isPositive) ||
      (column < points - 1 && output[at + 1]! > 0 !== isPositive)
    );
  });
  const all = moments(last);
  return {
    lambda1Mean: all.mean,
    lambda1Std: all.standardDeviation,
    lambda1Min: all.minimum,
    lambda1Max: all.maximum,
    lambda1Centre: moments(centre).mean,
    lambda1Boundary: moments(boundary).mean,
    notFinite: last.length - all.count,
  };
}

/** The values at those points of a square grid, row by row. */
function pick(
  values: Float32Array,
  points: number,
  isIn: (row: number, column: number) => boolean,
): Float32Array {
  const picked = new Float32Array(values.length);
  let count = 0;
  for (let row = 0; row < points; row++) {
    for (let column = 0; column < points; column++) {
      if (isIn(row, column)) picked[count++] = values[row * points + column]!;
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
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    count++;
    const deviation = value - mean;
    mean += deviation / count;
    squares += deviation * (value - mean);
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  if (count === 0) {
    return { count, mean: null, standardDeviation: null, minimum: null, maximum: null };
  }
  return { count, mean, standardDeviation: Math.sqrt(squares / count), minimum, maximum };
}
