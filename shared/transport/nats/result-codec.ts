/**
 * Results as bytes: length of the header (uint32, little-endian), header (JSON, padded with spaces to a multiple of 4),
 * then the arrays (float32, little-endian), in the header's order.
 */
import { endianness } from "node:os";
import type { TaskResult } from "../../messages.ts";
import { parseResult } from "../../messages.ts";
import { decodeJson, ForeignMessageError } from "./envelope.ts";

if (endianness() !== "LE") throw new Error("expected a little-endian machine");

interface Header {
  readonly result: Record<string, unknown>;
  /** Name and length of each array that follows. */
  readonly arrays: readonly (readonly [name: string, length: number])[];
}

/** JSON has no NaN and no infinities, but a diverged loss can be one. */
const NUMBERS: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

export function encodeResult(result: TaskResult): Uint8Array {
  const plain: Record<string, unknown> = {};
  const arrays: [string, Float32Array][] = [];
  for (const [name, value] of Object.entries(result)) {
    if (value instanceof Float32Array) arrays.push([name, value]);
    else plain[name] = value;
  }
  const header: Header = {
    result: plain,
    arrays: arrays.map(([name, { length }]) => [name, length]),
  };
  const text = Buffer.from(JSON.stringify(header, spellOut));
  const headLength = Math.ceil(text.length / 4) * 4;
  const total = arrays.reduce((sum, [, { byteLength }]) => sum + byteLength, 4 + headLength);
  const bytes = Buffer.alloc(total, " ");
  bytes.writeUInt32LE(headLength, 0);
  text.copy(bytes, 4);
  let at = 4 + headLength;
  for (const [, { buffer, byteOffset, byteLength }] of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

/** @throws ForeignMessageError with the reason if the bytes are not a result. */
export function decodeResult(bytes: Uint8Array): TaskResult {
  const refuse = (fault: string): never => {
    throw new ForeignMessageError(`not a result: ${fault}`);
  };
  if (bytes.length < 4) refuse(`expected 4 bytes or more, found ${bytes.length}`);
  const headLength = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE(0);
  if (headLength > bytes.length - 4) refuse("the header is cut off");
  const { result, arrays } = readHeader(bytes.subarray(4, 4 + headLength));
  let at = 4 + headLength;
  const message: Record<string, unknown> = { ...result };
  for (const [name, length] of arrays) {
    const end = at + 4 * length;
    if (end > bytes.length) refuse(`array ${name} is cut off`);
    message[name] = floatsIn(bytes.subarray(at, end));
    at = end;
  }
  if (at !== bytes.length) refuse(`${bytes.length - at} bytes too many`);
  try {
    return parseResult(message);
  } catch (error) {
    throw new ForeignMessageError((error as Error).message);
  }
}

/** A view of the bytes if they are aligned, else a copy. */
function floatsIn(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, length } =
    bytes.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(buffer, byteOffset, length / Float32Array.BYTES_PER_ELEMENT);
}

function readHeader(bytes: Uint8Array): Header {
  const header = decodeJson(bytes) as Partial<Header> | null;
  const isPair = (pair: unknown) =>
    Array.isArray(pair) &&
    typeof pair[0] === "string" &&
    Number.isSafeInteger(pair[1]) &&
    pair[1] >= 0;
  const isWhole =
    typeof header?.result === "object" &&
    header.result !== null &&
    Array.isArray(header.arrays) &&
    header.arrays.every(isPair);
  if (!isWhole) throw new ForeignMessageError("not a result: expected a header with its arrays");
  const { result, arrays } = header as Header;
  return { result: withNumbers(result), arrays };
}

/** Losses and columns that are not finite are strings in the header. */
function withNumbers(result: Record<string, unknown>): Record<string, unknown> {
  const found = { ...result };
  for (const member of ["history", "columns"]) {
    const numbers = result[member];
    if (typeof numbers !== "object" || numbers === null) continue;
    const read = Object.entries(numbers).map(([name, value]) => [name, numberIn(value)]);
    found[member] = Object.fromEntries(read);
  }
  return found;
}

function numberIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numberIn);
  return typeof value === "string" ? (NUMBERS[value] ?? value) : value;
}

function spellOut(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
