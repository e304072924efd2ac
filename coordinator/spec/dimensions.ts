import type { AxisName } from "./sweep.ts";

/** One axis, or several that are walked in step. */
export interface Dimension {
  readonly axes: readonly AxisName[];
  /** Number of values of each of the axes. */
  readonly length: number;
}

/** The independent directions of a lattice, in the order of its axes; a group has the place of its first axis. */
export function dimensionsOf(
  lengths: ReadonlyMap<AxisName, number>,
  zip: readonly (readonly AxisName[])[],
): Dimension[] {
  const dimensions: Dimension[] = [];
  const placed = new Set<AxisName>();
  for (const [axis, length] of lengths) {
    if (placed.has(axis)) continue;
    const axes = zip.find((group) => group.includes(axis)) ?? [axis];
    for (const member of axes) placed.add(member);
    dimensions.push({ axes, length });
  }
  return dimensions;
}
