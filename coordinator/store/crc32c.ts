/**
 * CRC-32C (Castagnoli) as in Zarr's `crc32c` codec and RFC 3720, eight bytes per step
 * ("slicing by 8", Kounavis and Berry 2005).
 */
export function crc32c(bytes: Uint8Array): number {
  const whole = bytes.length & ~7;
  const aligned = whole > 0 && bytes.byteOffset % 4 === 0 && IS_LITTLE_ENDIAN;
  let crc = aligned ? overWords(bytes, whole) : 0xffffffff;
  for (let i = aligned ? whole : 0; i < bytes.length; i++) {
    crc = TABLES[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The remainder after the first bytes, a multiple of 8, read as two words a step. */
function overWords({ buffer, byteOffset }: Uint8Array, length: number): number {
  const words = new Int32Array(buffer, byteOffset, length / 4);
  let crc = 0xffffffff | 0;
  for (let i = 0; i < words.length; i += 2) {
    const first = crc ^ words[i]!;
    const second = words[i + 1]!;
    crc =
      TABLES[0x700 | (first & 0xff)]! ^
      TABLES[0x600 | ((first >>> 8) & 0xff)]! ^
      TABLES[0x500 | ((first >>> 16) & 0xff)]! ^
      TABLES[0x400 | (first >>> 24)]! ^
      TABLES[0x300 | (second & 0xff)]! ^
      TABLES[0x200 | ((second >>> 8) & 0xff)]! ^
      TABLES[0x100 | ((second >>> 16) & 0xff)]! ^
      TABLES[second >>> 24]!;
  }
  return crc;
}

/** Eight tables of 256: table k advances a byte's remainder by k further zero bytes. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const crc = tables[i - 256]!;
    tables[i] = (crc >>> 8) ^ tables[crc & 0xff]!;
  }
  return tables;
}
