/** Floating-point numbers from little-endian bytes. */
import type { FloatArray } from "../../shared/numerics/network.ts";

/** By their names in safetensors. */
export type FloatType = "F64" | "F32" | "F16" | "BF16";

export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

export function isFloatType(name: string): name is FloatType {
  return Object.hasOwn(FLOAT_BYTES, name);
}

/** A copy; float16 and bfloat16 become float32, which holds them exactly. */
export function floatValues(type: FloatType, bytes: Uint8Array): FloatArray {
  const { buffer } = new Uint8Array(bytes); // a copy, hence aligned
  if (type === "F64") return new Float64Array(buffer);
  if (type === "F32") return new Float32Array(buffer);
  return fromHalves(type, new Uint16Array(buffer));
}

/** Values of 16 bits each, as ONNX may also store them in integers. */
export function fromHalves(type: "F16" | "BF16", halves: Uint16Array): Float32Array {
  // A bfloat16 is the upper half of a float32.
  if (type === "BF16")
    return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
  return Float32Array.from(halves, fromFloat16);
}

/** IEEE 754 binary16: a sign, 5 bits of exponent with bias 15, 10 bits of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
