import { log } from "./elementary.ts";

/** From here on the asymptotic series are used; their first omitted terms are below 10⁻¹⁷ there. */
const LARGE = 16;

/** ψ(x) = d ln Γ(x)/dx for x > 0 within 10⁻¹⁴ (Abramowitz & Stegun 6.3.5, 6.3.18). */
export function digamma(x: number): number {
  let sum = 0;
  let z = x;
  for (; z < LARGE; z++) sum -= 1 / z;
  const w = 1 / (z * z);
  const series =
    w *
    (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132 - (w * 691) / 32760)))));
  return sum + log(z) - 0.5 / z - series;
}

/** ψ'(x) for x > 0 within 10⁻¹⁴ (Abramowitz & Stegun 6.4.6, 6.4.12). */
export function trigamma(x: number): number {
  let sum = 0;
  let z = x;
  for (; z < LARGE; z++) sum += 1 / (z * z);
  const w = 1 / (z * z);
  const series =
    w * (1 / 6 - w * (1 / 30 - w * (1 / 42 - w * (1 / 30 - w * (5 / 66 - (w * 691) / 2730)))));
  return sum + 1 / z + w / 2 + series / z;
}
