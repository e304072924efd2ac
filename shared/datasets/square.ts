/** The square about the origin in which several data sets are uniform. */
import type { Region } from "../cell.ts";
import type { OptionRule } from "./data-set.ts";

export type SquareOptions = { readonly standardised: boolean };

export const standardisedOption: OptionRule = {
  kind: "boolean",
  default: true,
  doc: "Half-width √3, so that each coordinate has variance 1; otherwise 1.",
};

/** The standard deviation of a uniform coordinate in [−a, a] is a/√3. */
export function halfWidth({ standardised }: SquareOptions): number {
  return standardised ? Math.sqrt(3) : 1;
}

export function squareRegion(options: SquareOptions): Region {
  const a = halfWidth(options);
  return { x: [-a, a], y: [-a, a] };
}
