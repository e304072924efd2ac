/** How much exponents may differ from the reference's. */
import type { FieldTile } from "../engines/engine.ts";
import type { Tolerances } from "./tolerances.ts";

interface Exponents {
  readonly lambda1: ArrayLike<number>;
  readonly lambda2: ArrayLike<number>;
}

/** A layer's exponents, its line field as cos 2θ and sin 2θ, and the output, at each point. */
export interface PlaneNumbers extends Exponents {
  readonly cosine: ArrayLike<number>;
  readonly sine: ArrayLike<number>;
  readonly output: ArrayLike<number>;
  readonly [name: string]: ArrayLike<number>;
}

/** The numbers of one slice of a field. */
export function planeNumbers(field: FieldTile, slice = 0): PlaneNumbers {
  const size = field.output.length;
  const [lambda1, lambda2, direction] = [field.lambda1, field.lambda2, field.direction].map(
    (values) => values.slice(slice * size, (slice + 1) * size),
  ) as [Float32Array, Float32Array, Float32Array];
  return {
    lambda1,
    lambda2,
    cosine: direction.map((angle) => Math.cos(2 * angle)),
    sine: direction.map((angle) => Math.sin(2 * angle)),
    output: field.output,
  };
}

/**
 * Of layer l, if σ_1 and σ_2 err by t = `stretching`·√l in units of σ_1: t/l in λ₁, t·(σ_1/σ_2)/l in λ₂, and
 * then both are rounded to float32. Where σ_2 is below the rounding of σ_1, nothing is promised of λ₂.
 */
export function exponentTolerances(
  { lambda1, lambda2 }: Exponents,
  { l, stretching }: { l: number; stretching: number },
) {
  const t = stretching * Math.sqrt(l);
  const rounded = (lambda: number) => 2 ** -23 * Math.abs(lambda);
  return {
    lambda1: Float64Array.from(lambda1, (lambda) => t / l + rounded(lambda)),
    lambda2: Float64Array.from(lambda2, (lambda, i) => {
      const relative = t * Math.exp(l * (lambda1[i]! - lambda));
      return relative < 1 ? relative / l + rounded(lambda) : Number.POSITIVE_INFINITY;
    }),
  };
}

/** The angle errs by t/(1 − σ_2/σ_1) (P.-Å. Wedin, BIT 12, 99 (1972)), and 2θ by twice that; tolerated is 4 times. */
export function planeTolerances(
  numbers: PlaneNumbers,
  { l, tolerances }: { l: number; tolerances: Tolerances },
): PlaneNumbers {
  const { stretching, output } = tolerances;
  const turn = Float64Array.from(numbers.lambda1, (lambda1, i) => {
    const ratio = Math.exp(l * (numbers.lambda2[i]! - lambda1));
    return (4 * stretching * Math.sqrt(l)) / Math.max(0, 1 - ratio);
  });
  return {
    ...exponentTolerances(numbers, { l, stretching }),
    cosine: turn,
    sine: turn,
    output: Float64Array.from(numbers.output, () => output),
  };
}
