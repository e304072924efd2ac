import { axisKernels, centralWeights, type Kernel, kernelRadius } from "./derivative-kernels.ts";
import { fillHoles } from "./fill-holes.ts";
import type { GridField } from "./zero-lines.ts";

/** The smoothed field and its derivatives, per grid spacing (or its square), row-major [points, points]. */
export interface Derivatives {
  readonly value: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly xx: Float64Array;
  readonly xy: Float64Array;
  readonly yy: Float64Array;
}

/** Derivatives of a field smoothed over σ = `smoothing` grid spacings. In holes they mean nothing. */
export function derivatives({ points, values }: GridField, smoothing: number): Derivatives {
  const filled = new Float64Array(values);
  fillHoles({ points, values: filled }, kernelRadius(smoothing));
  const weights = centralWeights(smoothing);
  const value = axisKernels(points, weights.value);
  const slope = axisKernels(points, weights.slope);
  const curvature = axisKernels(points, weights.curvature);
  // Each step also exchanges rows and columns, so the second one restores the order.
  const x0 = applyAndTranspose(filled, value);
  const x1 = applyAndTranspose(filled, slope);
  const x2 = applyAndTranspose(filled, curvature);
  return {
    value: applyAndTranspose(x0, value),
    x: applyAndTranspose(x1, value),
    y: applyAndTranspose(x0, slope),
    xx: applyAndTranspose(x2, value),
    xy: applyAndTranspose(x1, slope),
    yy: applyAndTranspose(x0, curvature),
  };
}

/** Applies one kernel per column to every row. */
function applyAndTranspose(values: Float64Array, kernels: readonly Kernel[]): Float64Array {
  const points = kernels.length;
  const result = new Float64Array(values.length);
  for (let column = 0; column < points; column++) {
    const { first, weights } = kernels[column]!;
    const width = weights.length;
    for (let row = 0; row < points; row++) {
      const from = row * points + first;
      let sum = 0;
      for (let k = 0; k < width; k++) sum += weights[k]! * values[from + k]!;
      result[column * points + row] = sum;
    }
  }
  return result;
}
