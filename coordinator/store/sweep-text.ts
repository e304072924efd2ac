import { isDeepStrictEqual } from "node:util";
import { parseSweep } from "../spec/parse-sweep.ts";

/** How `sweep.yaml` changed since it was written. Both may be true: one byte is a flipped bit or an edited digit. */
export interface SweepTextState {
  /** It is lost, truncated, no longer text, or differs in one byte. */
  readonly isDamaged: boolean;
  /** The user may have edited it: its content must not be lost. */
  readonly isChanged: boolean;
}

/**
 * A heuristic, where damage looks like an edit: a text that is truncated, or differs in one byte, is an
 * edit if it is still a valid spec, and of another sweep.
 *
 * @param found what is there now; null if nothing is.
 */
export function judgeSweepText(found: Buffer | null, source: string): SweepTextState {
  const written = Buffer.from(source);
  if (found?.equals(written)) return { isDamaged: false, isChanged: false };
  if (found === null || !isText(found)) return { isDamaged: true, isChanged: false };
  const isFlip = isFlipped(found, written);
  if (!isFlip && !isCut(found, written)) return { isDamaged: false, isChanged: true };
  const isChanged = isOtherSweep(found.toString(), source);
  return { isDamaged: isFlip || !isChanged, isChanged };
}

/** No editor writes a NUL or invalid UTF-8. */
function isText(bytes: Buffer): boolean {
  return !bytes.includes(0) && Buffer.from(bytes.toString()).equals(bytes);
}

function isCut(found: Buffer, written: Buffer): boolean {
  return written.subarray(0, found.length).equals(found);
}

function isFlipped(found: Buffer, written: Buffer): boolean {
  if (found.length !== written.length) return false;
  return found.reduce((count, byte, i) => count + (byte === written[i] ? 0 : 1), 0) === 1;
}

function isOtherSweep(text: string, source: string): boolean {
  const [now, before] = [text, source].map((spec) => parseSweep(spec, { file: "sweep" }));
  return "sweep" in now! && !isDeepStrictEqual(now, before);
}
