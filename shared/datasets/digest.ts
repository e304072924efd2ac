import { createHash } from "node:crypto";
import type { Splits } from "./data-set.ts";

/**
 * `sha256:` and 64 hex digits over the float32 bytes (little-endian) of the training split's inputs and targets,
 * then those of the test split.
 */
export function splitsDigest({ train, test }: Splits): string {
  const hash = createHash("sha256");
  for (const { inputs, targets } of [train, test]) {
    hash.update(bytesOf(inputs)).update(bytesOf(targets));
  }
  return `sha256:${hash.digest("hex")}`;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
