/** A matrix somewhere in an array: element (i, j) is at i·rowStride + j·columnStride. */
export interface MatrixView {
  readonly values: Float64Array;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** Sizes of C [rows, columns] += A [rows, terms] · B [terms, columns]. */
export interface ProductSize {
  readonly rows: number;
  readonly terms: number;
  readonly columns: number;
}

/** [rows, columns] in row-major order. */
export function rowMajor(values: Float64Array, columns: number): MatrixView {
  return { values, rowStride: columns, columnStride: 1 };
}

export function transposed({ values, rowStride, columnStride }: MatrixView): MatrixView {
  return { values, rowStride: columnStride, columnStride: rowStride };
}

/**
 * C += A·B, each element as ((c + a₀b₀) + a₁b₁) + … in ascending order of the summed index.
 *
 * That order is the definition. Four columns are computed in parallel because their sums are independent
 * and fill the processor's pipeline, which changes no bit.
 */
export function addProduct(c: MatrixView, a: MatrixView, b: MatrixView, size: ProductSize): void {
  const { rows, terms, columns } = size;
  const { values: C, rowStride: cRow, columnStride: cColumn } = c;
  const { values: A, rowStride: aRow, columnStride: aTerm } = a;
  const { values: B, rowStride: bTerm, columnStride: bColumn } = b;
  const blocked = columns - (columns % 4);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < blocked; j += 4) {
      const at = i * cRow + j * cColumn;
      let s0 = C[at]!;
      let s1 = C[at + cColumn]!;
      let s2 = C[at + 2 * cColumn]!;
      let s3 = C[at + 3 * cColumn]!;
      let p = i * aRow;
      let q0 = j * bColumn;
      let q1 = q0 + bColumn;
      let q2 = q1 + bColumn;
      let q3 = q2 + bColumn;
      for (let k = 0; k < terms; k++) {
        const factor = A[p]!;
        s0 += factor * B[q0]!;
        s1 += factor * B[q1]!;
        s2 += factor * B[q2]!;
        s3 += factor * B[q3]!;
        p += aTerm;
        q0 += bTerm;
        q1 += bTerm;
        q2 += bTerm;
        q3 += bTerm;
      }
      C[at] = s0;
      C[at + cColumn] = s1;
      C[at + 2 * cColumn] = s2;
      C[at + 3 * cColumn] = s3;
    }
    for (let j = blocked; j < columns; j++) {
      const at = i * cRow + j * cColumn;
      let sum = C[at]!;
      for (let k = 0; k < terms; k++) sum += A[i * aRow + k * aTerm]! * B[k * bTerm + j * bColumn]!;
      C[at] = sum;
    }
  }
}
