/**
 * Registers a `vlen-utf8` codec that also writes: zarrita's own only reads
 * (https://github.com/manzt/zarrita.js, codecs/vlen-utf8.ts).
 */
import { registry } from "zarrita";

const readOnly = registry.get("vlen-utf8")!;

registry.set("vlen-utf8", async () => {
  const { fromConfig } = await readOnly();
  return { fromConfig: (...from) => Object.assign(fromConfig(...from), { encode }) };
});

/**
 * The number of strings, then for each its length in bytes and its UTF-8; numbers as little-endian uint32
 * (https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/vlen-utf8).
 */
function encode({ data }: { data: readonly string[] }): Uint8Array {
  const parts = [uint32(data.length)];
  for (const text of data) {
    const bytes = Buffer.from(text, "utf8");
    parts.push(uint32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
