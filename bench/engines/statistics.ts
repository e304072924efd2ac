/** The middle value; the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** a_i / b_i. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / b[i]!);
}

/** The middle value with the least and the largest: `1.23 (1.20–1.31)`. */
export function medianAndRange(values: readonly number[], digits = 3): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return `${significant(middle, digits)} (${significant(least, digits)}–${significant(most, digits)})`;
}

/** With so many significant digits, without exponents between 10⁻⁴ and 10⁶. */
export function significant(value: number, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential(digits - 1);
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toFixed(decimals);
}
