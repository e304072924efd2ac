/** The steps to the eight neighbours of a point. */
const STEPS = [-1, 0, 1].flatMap((up) =>
  [-1, 0, 1].flatMap((right) => (up === 0 && right === 0 ? [] : [{ up, right }])),
);

/** A field in float64, row-major [points, points]. */
export interface WorkingField {
  readonly points: number;
  readonly values: Float64Array;
}

/**
 * Extends a field into its holes (values that are not finite), in place, by so many layers of points:
 * derivatives beside a hole then need no rules of their own.
 */
export function fillHoles(field: WorkingField, layers: number): void {
  let holes: number[] = [];
  field.values.forEach((value, i) => {
    if (Number.isFinite(value)) return;
    field.values[i] = Number.NaN;
    holes.push(i);
  });
  for (let layer = 0; layer < layers && holes.length > 0; layer++) {
    const estimates = holes.map((hole) => extrapolate(field, hole));
    holes.forEach((hole, i) => {
      field.values[hole] = estimates[i]!;
    });
    holes = holes.filter((_, i) => Number.isNaN(estimates[i]!));
  }
}

/** Mean over the directions in which the most neighbours (up to three) are known; NaN if none is. */
function extrapolate(field: WorkingField, place: number): number {
  let most = 1;
  let sum = 0;
  let count = 0;
  for (const step of STEPS) {
    const [f1, f2, f3] = [1, 2, 3].map((distance) => neighbour(field, place, { step, distance }));
    if (Number.isNaN(f1!)) continue;
    const known = Number.isNaN(f2!) ? 1 : Number.isNaN(f3!) ? 2 : 3;
    if (known < most) continue;
    if (known > most) [most, sum, count] = [known, 0, 0];
    sum += known === 3 ? 3 * (f1! - f2!) + f3! : known === 2 ? 2 * f1! - f2! : f1!;
    count++;
  }
  return count > 0 ? sum / count : Number.NaN;
}

function neighbour(
  { points, values }: WorkingField,
  place: number,
  { step, distance }: { step: (typeof STEPS)[number]; distance: number },
): number {
  const column = (place % points) + distance * step.right;
  const row = Math.floor(place / points) + distance * step.up;
  const isInside = column >= 0 && column < points && row >= 0 && row < points;
  return isInside ? values[row * points + column]! : Number.NaN;
}
