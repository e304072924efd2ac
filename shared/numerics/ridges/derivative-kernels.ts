/**
 * Weights that smooth sampled values, or their first or second derivative: those of a local least-squares
 * polynomial with Gaussian weights (A. Savitzky, M. J. E. Golay, Anal. Chem. 36, 1627 (1964)).
 *
 * The degrees are the lowest that do. The weights of the value are then all positive, and those of the
 * slope have one sign on either side, so a rising field has a rising slope: beside a step or a crest as
 * narrow as the grid, polynomials of higher degree swing and make ridges where none are. The price is
 * that a ridge of curvature κ moves towards its centre by about κ(σ² + ½)/2 at most.
 */

/** What a point's neighbours contribute: the first one's index, and a weight for it and each that follows. */
export interface Kernel {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Weights of the points −radius … radius. */
export interface CentralWeights {
  readonly value: Float64Array;
  readonly slope: Float64Array;
  readonly curvature: Float64Array;
}

/** How far a kernel reaches to either side, in grid spacings; a curvature takes one neighbour at least. */
export function kernelRadius(smoothing: number): number {
  return Math.max(1, Math.ceil(3 * smoothing));
}

/** With Gaussian weights of σ = `smoothing` grid spacings; with 0 they are central differences. */
export function centralWeights(smoothing: number): CentralWeights {
  const radius = kernelRadius(smoothing);
  // At 0.1 a neighbour's weight is already nothing beside the middle's.
  const sigma = Math.max(smoothing, 0.1);
  const at = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => i - radius);
  const gauss = at.map((k) => Math.exp((-k * k) / (2 * sigma * sigma)));
  const moment = (power: number) => gauss.reduce((sum, g, i) => sum + g * at[i]! ** power, 0);
  const [total, second, fourth] = [moment(0), moment(2), moment(4)];
  // Normal equations of a + bk and a + bk + ck²/2; odd moments are zero.
  const determinant = (fourth * total - second * second) / 2;
  return {
    value: gauss.map((g) => g / total),
    slope: gauss.map((g, i) => (g * at[i]!) / second),
    curvature: gauss.map((g, i) => (g * (at[i]! ** 2 * total - second)) / determinant),
  };
}

/**
 * A kernel for every place along an axis. Beyond either end the field is thought to go on as its point
 * reflection, f(−k) = 2f(0) − f(k), which goes on rising where the field rises.
 */
export function axisKernels(points: number, weights: Float64Array): Kernel[] {
  const radius = (weights.length - 1) / 2;
  const width = Math.min(points, weights.length);
  return Array.from({ length: points }, (_, place): Kernel => {
    const first = Math.max(0, Math.min(place - radius, points - width));
    const folded = new Float64Array(width);
    weights.forEach((weight, i) => {
      const index = place - radius + i;
      const end = Math.max(0, Math.min(index, points - 1));
      if (index === end) {
        folded[index - first]! += weight;
        return;
      }
      // A grid smaller than the kernel has no point to reflect: its far end stands for it.
      const mirrored = Math.max(first, Math.min(2 * end - index, first + width - 1));
      folded[end - first]! += 2 * weight;
      folded[mirrored - first]! -= weight;
    });
    return { first, weights: folded };
  });
}

/** Square root of the sum of squares: by how much weights change the deviation of independent noise. */
export function weightsNorm(weights: Float64Array): number {
  return Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
}
