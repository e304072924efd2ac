/**
 * Registers a `crc32c` codec that checks and writes checksums: zarrita's own ignores the checksum and
 * cannot encode (https://github.com/manzt/zarrita.js, codecs/crc32c.ts).
 */
import { registry } from "zarrita";
import { crc32c } from "./crc32c.ts";

/** The checksum's length at the end of a chunk. */
export const CHECKSUM_BYTES = 4;

registry.set("crc32c", async () => ({
  fromConfig: () => ({
    kind: "bytes_to_bytes" as const,
    encode(content: Uint8Array): Uint8Array {
      const chunk = new Uint8Array(content.length + CHECKSUM_BYTES);
      chunk.set(content);
      return withChecksum(chunk);
    },
    decode(chunk: Uint8Array): Uint8Array {
      if (!isChunkIntact(chunk)) throw new Error("the chunk's checksum does not match");
      // Copied, hence aligned: typed arrays will be views of it.
      return new Uint8Array(chunk.subarray(0, -CHECKSUM_BYTES));
    },
  }),
}));

/** A chunk of so many bytes whose float32 values `fill` writes in place, without a copy. */
export function sealedChunk(bytes: number, fill: (values: Float32Array) => void): Uint8Array {
  const chunk = new Uint8Array(bytes);
  fill(new Float32Array(chunk.buffer, 0, (bytes - CHECKSUM_BYTES) / 4));
  return withChecksum(chunk);
}

function withChecksum(chunk: Uint8Array): Uint8Array {
  const end = chunk.length - CHECKSUM_BYTES;
  new DataView(chunk.buffer).setUint32(end, crc32c(chunk.subarray(0, end)), true);
  return chunk;
}

/** Whether a chunk ends with the CRC-32C of the bytes before it. */
export function isChunkIntact(chunk: Uint8Array): boolean {
  if (chunk.length < CHECKSUM_BYTES) return false;
  const content = chunk.subarray(0, -CHECKSUM_BYTES);
  const end = new DataView(chunk.buffer, chunk.byteOffset + content.length, CHECKSUM_BYTES);
  return end.getUint32(0, true) === crc32c(content);
}
