/** A value of one realisation. */
export interface SeriesPoint {
  readonly x: number;
  readonly y: number;
  readonly series: string;
}

/** The mean over the realisations at one x of one series, and the ends of its error bar. */
export interface SeriesMean {
  readonly x: number;
  readonly series: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * One mean for each x of each series, in order of first appearance; values are finite. The error bar is
 * the standard error of the mean, or the whole range if there are fewer than three realisations.
 */
export function seriesMeans(points: readonly SeriesPoint[]): SeriesMean[] {
  const groups = new Map<string, SeriesPoint[]>();
  for (const point of points) {
    const key = `${point.x} ${point.series}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  return [...groups.values()].map((group) => {
    const { x, series } = group[0]!;
    return { x, series, ...meanWithError(group.map(({ y }) => y)) };
  });
}

function meanWithError(ys: readonly number[]) {
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
  if (ys.length < 3) return { mean, low, high };
  const squares = ys.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  const error = Math.sqrt(squares / (ys.length - 1) / ys.length);
  // Exactly computed, the bar stays in the range (Σd² ≤ (Σd)²); rounded, it could leave a logarithmic axis.
  return { mean, low: Math.max(low, mean - error), high: Math.min(high, mean + error) };
}
