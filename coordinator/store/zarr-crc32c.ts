/**
 * Registers a `crc32c` codec that checks and writes: zarrita's own leaves the checksum unread and
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
      new DataView(chunk.buffer).setUint32(content.length, crc32c(content), true);
      return chunk;
    },
    decode(chunk: Uint8Array): Uint8Array {
      if (!isChunkIntact(chunk)) throw new Error("the chunk's checksum does not match");
      // Copied, hence aligned: typed arrays will be laid over it.
      return new Uint8Array(chunk.subarray(0, -CHECKSUM_BYTES));
    },
  }),
}));

/** Whether a chunk ends with the CRC-32C of what comes before. */
export function isChunkIntact(chunk: Uint8Array): boolean {
  if (chunk.length < CHECKSUM_BYTES) return false;
  const content = chunk.subarray(0, -CHECKSUM_BYTES);
  const end = new DataView(chunk.buffer, chunk.byteOffset + content.length, CHECKSUM_BYTES);
  return end.getUint32(0, true) === crc32c(content);
}
