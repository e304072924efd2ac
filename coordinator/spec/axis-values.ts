import { type AxisForm, rangeEnds } from "./axis-schema.ts";
import type { Parameter } from "./parameters.ts";
import type { SpecForm } from "./schema.ts";
import type { ParameterValue, WeightVarianceAxis } from "./sweep.ts";

/** An axis whose values are not listed yet: a range can be longer than any memory. */
export interface AxisValues<Value = number> {
  readonly length: number;
  /** False: no two values can be equal, so that no check is needed. */
  readonly mayRepeat: boolean;
  /** In the order of the axis. */
  readonly list: () => readonly Value[];
}

/** The values of an axis as written; `isInteger` rounds the values of a logspace. */
export function axisValues(form: AxisForm, { isInteger }: { isInteger: boolean }): AxisValues {
  if (typeof form === "number") return listedValues([form]);
  if (typeof form === "string") return steps({ ...rangeEnds(form), step: 1 });
  if ("logspace" in form) return ratios(form.logspace, isInteger);
  if ("step" in form) return steps(form);
  if ("count" in form) return counted(form.count, (i) => form.from + i);
  return listedValues(form);
}

export function varianceValues(
  form: SpecForm["axes"]["weightVariance"],
): AxisValues & Pick<WeightVarianceAxis, "kind"> {
  if (form === "critical") return { kind: "logGain", ...listedValues([0]) };
  if (typeof form === "object" && "logGain" in form) {
    return { kind: "logGain", ...axisValues(form.logGain, { isInteger: false }) };
  }
  return { kind: "absolute", ...axisValues(form, { isInteger: false }) };
}

/** The values of a parameter's axis. */
export function parameterValues(
  { kind }: Parameter,
  form: AxisForm | ParameterValue | readonly ParameterValue[],
): AxisValues<ParameterValue> {
  if (kind === "integer" || kind === "number") {
    return axisValues(form as AxisForm, { isInteger: kind === "integer" });
  }
  return listedValues([form as ParameterValue].flat());
}

export function listedValues<Value>(values: readonly Value[]): AxisValues<Value> {
  return { length: values.length, mayRepeat: true, list: () => values };
}

/** The most that `toFixed` accepts; numbers with more decimal places would gain nothing from this rounding. */
const MOST_DECIMALS = 100;

/** Values are rounded to the decimal places of `from` and `step`: 0.1 + 2·0.1 is 0.3. */
function steps({ from, to, step }: { from: number; to: number; step: number }): AxisValues {
  const decimals = Math.max(decimalPlaces(from), decimalPlaces(step));
  // `to` is met even where rounding makes (to − from) / step a little less than an integer.
  const length = Math.floor((to - from) / step + 1e-9) + 1;
  const value = (i: number) => from + i * step;
  const values =
    decimals > MOST_DECIMALS
      ? counted(length, value)
      : counted(length, (i) => Number(value(i).toFixed(decimals)));
  return { ...values, mayRepeat: decimals > 0 }; // a step that is too small to change `from`
}

/** Rounded to twelve significant digits: beyond them, `**` may differ between machines. */
function ratios(
  { from, to, count }: { from: number; to: number; count: number },
  isInteger: boolean,
): AxisValues {
  const values = counted(count, (i) => {
    const share = i / (count - 1);
    const ratio = to / from;
    // Where the ratio of the ends overflows, each end has its own power.
    const value = Number.isFinite(ratio)
      ? from * ratio ** share
      : from ** (1 - share) * to ** share;
    return isInteger ? Math.round(value) : Number(value.toPrecision(12));
  });
  return { ...values, mayRepeat: true };
}

function counted(length: number, value: (i: number) => number): AxisValues {
  return { length, mayRepeat: false, list: () => Array.from({ length }, (_, i) => value(i)) };
}

function decimalPlaces(value: number): number {
  const [mantissa, exponent] = value.toExponential().split("e");
  return Math.max(0, (mantissa!.split(".")[1]?.length ?? 0) - Number(exponent));
}
