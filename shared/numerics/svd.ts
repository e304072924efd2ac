import { binaryExponent, powerOfTwo } from "./float64-bits.ts";
import { dot, largest, norm } from "./vectors.ts";

/** A = U·diag(s)·Vᵀ with k = min(rows, cols). */
export interface SingularValueDecomposition {
  /** Descending, ≥ 0; [k]. */
  readonly s: Float64Array;
  /** Left singular vectors as rows, i.e. Uᵀ; [k, rows]. */
  readonly uT: Float64Array;
  /** Right singular vectors as rows, i.e. Vᵀ; [k, cols]. */
  readonly vT: Float64Array;
}

/** Jacobi sweeps converge quadratically: about ten suffice. */
const MAX_SWEEPS = 60;

/**
 * Singular value decomposition of A [rows, cols], row-major, by one-sided Jacobi rotations (Hestenes;
 * Golub & Van Loan, Matrix Computations, 4th ed., §8.6.3).
 *
 * The vector of a vanishing singular value is zero on the longer side. Everything is NaN if an element
 * of A is not finite.
 */
export function svd(a: Float64Array, rows: number, cols: number): SingularValueDecomposition {
  if (rows > cols) {
    const { s, uT, vT } = svd(transpose(a, rows, cols), cols, rows);
    return { s, uT: vT, vT: uT };
  }
  const size = largest(a);
  const down = Number.isFinite(size) ? powerOfTwo(-binaryExponent(size)) : Number.NaN;
  const work = a.map((value) => value * down);
  const rotations = identity(rows);
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    if (!rotateAllPairs({ work, rotations, rows, cols })) break;
  }
  return normalised({ work, rotations, rows, cols }, down);
}

interface Rotated {
  /** Becomes diag(s)·Vᵀ. */
  readonly work: Float64Array;
  /** Becomes Uᵀ. */
  readonly rotations: Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** One sweep over the pairs of rows; false if all were orthogonal already. */
function rotateAllPairs({ work, rotations, rows, cols }: Rotated): boolean {
  let isChanged = false;
  for (let p = 0; p < rows - 1; p++) {
    for (let q = p + 1; q < rows; q++) {
      const alpha = dot(work, p * cols, work, p * cols, cols);
      const beta = dot(work, q * cols, work, q * cols, cols);
      const gamma = dot(work, p * cols, work, q * cols, cols);
      if (!(Math.abs(gamma) > Number.EPSILON * Math.sqrt(alpha * beta))) continue;
      isChanged = true;
      const zeta = (beta - alpha) / (2 * gamma);
      const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + t * t);
      rotateRows(work, { p, q, cosine, sine: cosine * t, length: cols });
      rotateRows(rotations, { p, q, cosine, sine: cosine * t, length: rows });
    }
  }
  return isChanged;
}

function rotateRows(
  m: Float64Array,
  plane: { p: number; q: number; cosine: number; sine: number; length: number },
): void {
  const { p, q, cosine, sine, length } = plane;
  for (let j = 0; j < length; j++) {
    const atP = m[p * length + j]!;
    const atQ = m[q * length + j]!;
    m[p * length + j] = cosine * atP - sine * atQ;
    m[q * length + j] = sine * atP + cosine * atQ;
  }
}

/** Lengths of the rotated rows as singular values, in descending order, with their vectors. */
function normalised(rotated: Rotated, down: number): SingularValueDecomposition {
  const { work, rotations, rows, cols } = rotated;
  const lengths = Float64Array.from({ length: rows }, (_, i) => norm(work, i * cols, cols));
  const order = Array.from(lengths.keys()).sort((i, j) => lengths[j]! - lengths[i]!);
  const s = new Float64Array(rows);
  const uT = new Float64Array(rows * rows);
  const vT = new Float64Array(rows * cols);
  order.forEach((from, to) => {
    const length = lengths[from]!;
    s[to] = length / down;
    uT.set(rotations.subarray(from * rows, (from + 1) * rows), to * rows);
    for (let j = 0; j < cols; j++)
      vT[to * cols + j] = length > 0 ? work[from * cols + j]! / length : 0;
  });
  return { s, uT, vT };
}

function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

function transpose(a: Float64Array, rows: number, cols: number): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) result[j * rows + i] = a[i * cols + j]!;
  }
  return result;
}
