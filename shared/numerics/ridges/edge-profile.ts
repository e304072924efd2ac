/** Interpolation along the edges of a grid: edge 2i leads from point i to its right neighbour, 2i + 1 to its upper. */

import { relativeSense, type Stretching } from "./stretching.ts";

/** Values at −1, 0, 1 and 2 along an edge that leads from 0 to 1; the outer two are NaN if not known. */
export type Profile = [before: number, from: number, to: number, after: number];

/** The four points in line with an edge; −1 where the grid ends. */
export function pointsAlong(edge: number, points: number): Profile {
  const from = edge >> 1;
  const isUpward = edge % 2 === 1;
  const step = isUpward ? points : 1;
  const place = isUpward ? Math.floor(from / points) : from % points;
  return [
    place > 0 ? from - step : -1,
    from,
    from + step,
    place + 2 < points ? from + 2 * step : -1,
  ];
}

/** A quantity without a sense, such as the value, along four points in line. */
export function profileOf(values: Float64Array, along: Profile): Profile {
  const [before, from, to, after] = along;
  const at = (i: number) => values[i] ?? Number.NaN;
  return [at(before), at(from), at(to), at(after)];
}

/** ξ·∇λ along four points in line, with ξ in the sense that it has at the edge's beginning. */
export function slopeProfile(field: Stretching, along: Profile): Profile {
  const [before, from, to, after] = along;
  const sense = relativeSense(field, from, to);
  const at = (i: number, neighbour: number) => {
    const own = i < 0 ? 0 : relativeSense(field, neighbour, i);
    return own === 0 ? Number.NaN : own * field.slope[i]!;
  };
  return [at(before, from), field.slope[from]!, sense * field.slope[to]!, sense * at(after, to)];
}

/** The cubic through a profile at 0 ≤ t ≤ 1; linear if a value before or after is not known. */
export function interpolate([before, from, to, after]: Profile, t: number): number {
  const linear = from + t * (to - from);
  const u = t * (1 - t);
  // The cubic's deviation from the line, by its second differences at either end.
  const bend = ((2 - t) * (before - 2 * from + to) + (1 + t) * (from - 2 * to + after)) / 6;
  return Number.isNaN(bend) ? linear : linear - u * bend;
}

/** Where a profile vanishes between 0 and 1, at which it has opposite signs. */
export function zeroOf(profile: Profile): number {
  let [low, high] = [0, 1];
  let [atLow, atHigh] = [profile[1], profile[2]];
  let t = atLow / (atLow - atHigh);
  // Regula falsi with the Illinois rule: an end that stays counts half, so both ends close in.
  for (let pass = 0; pass < 20; pass++) {
    const value = interpolate(profile, t);
    if (value === 0) break;
    const previous = t;
    if (value > 0 === atLow > 0) {
      [low, atLow, atHigh] = [t, value, atHigh / 2];
    } else {
      [high, atHigh, atLow] = [t, value, atLow / 2];
    }
    t = (low * atHigh - high * atLow) / (atHigh - atLow);
    if (Math.abs(t - previous) < 1e-9) break;
  }
  return t;
}
