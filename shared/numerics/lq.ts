import { dot, norm } from "./vectors.ts";

/**
 * A = L·Q with L lower triangular, L_ii ≥ 0, and the rows of Q orthonormal.
 *
 * Takes A [rows, cols], row-major, rows ≤ cols, and leaves Q in its place; returns L [rows, rows]. A
 * row that depends exactly on those above becomes zero, with L_ii = 0. Modified Gram–Schmidt, each
 * row twice, which makes Q orthonormal to working precision (Giraud, Langou, Rozložník, Comput. Math.
 * Appl. 50, 1069 (2005)).
 */
export function orthonormaliseRows(a: Float64Array, rows: number, cols: number): Float64Array {
  const L = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const overlap = dot(a, i * cols, a, k * cols, cols);
        for (let j = 0; j < cols; j++)
          a[i * cols + j] = a[i * cols + j]! - overlap * a[k * cols + j]!;
        L[i * rows + k] = L[i * rows + k]! + overlap;
      }
    }
    const length = norm(a, i * cols, cols);
    L[i * rows + i] = length;
    if (length > 0) for (let j = 0; j < cols; j++) a[i * cols + j] = a[i * cols + j]! / length;
  }
  return L;
}
