/** The binary representation of float64 numbers: exponents and exact powers of two. */

const value = new Float64Array(1);
const words = new Uint32Array(value.buffer);
/** Which word of a number is the upper one: depends on the byte order of the machine. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Sign, exponent and top 20 bits of the fraction, as a signed 32-bit integer. */
export function highWord(x: number): number {
  value[0] = x;
  return words[HIGH]! | 0;
}

/** The number with the bits of `x`, but `high` for its high word. */
export function withHighWord(x: number, high: number): number {
  value[0] = x;
  words[HIGH] = high;
  return value[0]!;
}

/** ⌊log₂|x|⌋ for a normal number x; −1023 for zero and subnormals, 1024 for NaN and infinities. */
export function binaryExponent(x: number): number {
  return ((highWord(x) >>> 20) & 0x7ff) - 1023;
}

const MIN_POWER = -1080;
const powers = new Float64Array(1023 - MIN_POWER + 1);
for (let k = 0, p = 1; k <= 1023; k++, p *= 2) powers[k - MIN_POWER] = p;
for (let k = 0, p = 1; k >= MIN_POWER; k--, p /= 2) powers[k - MIN_POWER] = p;

/** 2^k, exact, for integers −1080 ≤ k ≤ 1023; 0 below −1074. */
export function powerOfTwo(k: number): number {
  return powers[k - MIN_POWER]!;
}
