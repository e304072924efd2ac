/** What files look like to the file system: a checksum of kind, size, inode and times of each. */
import { look } from "./entries.ts";

export interface Looks {
  readonly sum: Sum;
  /** When the last of the files changed; milliseconds since the epoch. */
  readonly latest: number;
}

/** What the files of a folder look like, in the order given; null if one of them is missing. */
export function looksOf(folder: string, names: readonly string[]): Looks | null {
  const sum: Sum = [0xdeadbeef, 0x41c6ce57];
  let latest = Number.NEGATIVE_INFINITY;
  for (const name of names) {
    const found = look(`${folder}/${name}`);
    if (found === undefined) return null;
    const { mode, size, ino, mtimeMs, ctimeMs } = found;
    for (const number of [mode, size, ino, mtimeMs, ctimeMs]) add(sum, number);
    latest = Math.max(latest, mtimeMs, ctimeMs);
  }
  return { sum, latest };
}

/**
 * 64 bits of two multiplicative hashes (as cyrb53, https://github.com/bryc/code, without its end): a change of one
 * number always changes them, and of several all but surely. SHA-256 of so few bytes costs more than to look at the files.
 */
export type Sum = [a: number, b: number];

function add(sum: Sum, number: number): void {
  DOUBLE[0] = number;
  for (const word of WORDS) {
    sum[0] = rotated(Math.imul(sum[0] ^ word, 2654435761));
    sum[1] = rotated(Math.imul(sum[1] ^ word, 1597334677));
  }
}

/** Brings the high bits, which depend on all lower ones, to where the next product spreads them. */
function rotated(word: number): number {
  return (word << 15) | (word >>> 17);
}

const DOUBLE = new Float64Array(1);
const WORDS = new Uint32Array(DOUBLE.buffer);

/** 16 hex digits. */
export function sumText(sum: Sum): string {
  return sum.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
