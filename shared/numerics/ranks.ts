/** Rank correlation and quantiles of samples. */

/**
 * Spearman's rank correlation ρ ∈ [−1, 1] of pairs of which both numbers are finite; equal values share their mean rank.
 * NaN for fewer than two pairs, or if one side does not vary.
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const kept: [number, number][] = [];
  for (let i = 0; i < a.length; i++) {
    const pair: [number, number] = [a[i]!, b[i]!];
    if (pair.every(Number.isFinite)) kept.push(pair);
  }
  const first = ranks(kept.map(([value]) => value));
  const second = ranks(kept.map(([, value]) => value));
  return correlation(first, second);
}

/** Ranks from 1; equal values have the mean of theirs. */
export function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const found = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let k = from; k < to; k++) found[order[k]!] = (from + to + 1) / 2;
    from = to;
  }
  return found;
}

/** Pearson's correlation; NaN if one side does not vary. */
export function correlation(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i]! - meanA, b[i]! - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : Number.NaN;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Quantile p ∈ [0, 1] of ascending values, linear between them (type 7 of Hyndman and Fan); NaN of none. */
export function quantile(ascending: Float64Array, p: number): number {
  if (ascending.length === 0) return Number.NaN;
  const at = p * (ascending.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, ascending.length - 1);
  const share = at - below;
  return ascending[below]! * (1 - share) + ascending[above]! * share;
}

export interface Distribution {
  /** How many of the values are finite. */
  readonly count: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  readonly q05: number;
  readonly median: number;
  readonly q95: number;
}

/** Of the finite values; NaN if there is none. */
export function distribution(values: ArrayLike<number>): Distribution {
  const finite = Float64Array.from(Array.from(values).filter(Number.isFinite)).sort();
  const average = mean(finite);
  const squares = finite.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return {
    count: finite.length,
    mean: average,
    std: Math.sqrt(squares / finite.length),
    q05: quantile(finite, 0.05),
    median: quantile(finite, 0.5),
    q95: quantile(finite, 0.95),
  };
}
