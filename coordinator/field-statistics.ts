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
  const all = moments();
  const centre = moments();
  const boundary = moments();
  const middle = [Math.floor(points * 0.45), Math.ceil(points * 0.55)] as const;
  const isMiddle = (i: number) => i >= middle[0] && i < middle[1];
  for (let row = 0; row < points; row++) {
    for (let column = 0; column < points; column++) {
      const at = row * points + column;
      const value = last[at]!;
      all.add(value);
      if (isMiddle(row) && isMiddle(column)) centre.add(value);
      if (isBesideSignChange(output, points, row, column)) boundary.add(value);
    }
  }
  return {
    lambda1Mean: all.mean(),
    lambda1Std: all.standardDeviation(),
    lambda1Min: all.minimum(),
    lambda1Max: all.maximum(),
    lambda1Centre: centre.mean(),
    lambda1Boundary: boundary.mean(),
    notFinite: last.length - all.count(),
  };
}

function isBesideSignChange(output: Float32Array, points: number, row: number, column: number) {
  const here = output[row * points + column]! > 0;
  const differs = (r: number, c: number) =>
    r >= 0 && c >= 0 && r < points && c < points && output[r * points + c]! > 0 !== here;
  return (
    differs(row - 1, column) ||
    differs(row + 1, column) ||
    differs(row, column - 1) ||
    differs(row, column + 1)
  );
}

/** Mean and spread of the finite ones among the values added (Welford 1962: stable in one pass). */
function moments() {
  let n = 0;
  let mean = 0;
  let squares = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  const unlessEmpty = (value: number) => (n === 0 ? null : value);
  return {
    add(value: number) {
      if (!Number.isFinite(value)) return;
      n++;
      const deviation = value - mean;
      mean += deviation / n;
      squares += deviation * (value - mean);
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    },
    count: () => n,
    mean: () => unlessEmpty(mean),
    standardDeviation: () => unlessEmpty(Math.sqrt(squares / n)),
    minimum: () => unlessEmpty(minimum),
    maximum: () => unlessEmpty(maximum),
  };
}
