import { cosPi } from "../numerics/elementary.ts";

/** (cos 2πt, sin 2πt): the point of the unit circle after t turns. The same bytes on every machine. */
export function unitCircle(t: number): [x: number, y: number] {
  return [cosine(t), cosine(t - 0.25)];
}

/** cos 2πt. */
function cosine(t: number): number {
  const part = t - Math.floor(t);
  return cosPi(2 * Math.min(part, 1 - part));
}
