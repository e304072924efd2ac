/**
 * Weights as safetensors (https://github.com/huggingface/safetensors#format): tensors
 * `layers.<l>.weight` [out, in] and `layers.<l>.bias` [out], bias = −θ, l = 0…L, which
 * `torch.nn.Linear` accepts unchanged.
 */
import type { FloatArray, Layer, Weights } from "./numerics/network.ts";

/** Equal weights and metadata give equal bytes. */
export function encodeWeights(weights: Weights, metadata: Record<string, string>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const tensors: FloatArray[] = [];
  let offset = 0;
  const add = (name: string, shape: number[], values: FloatArray) => {
    const end = offset + values.byteLength;
    const dtype = values instanceof Float64Array ? "F64" : "F32";
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    tensors.push(values);
    offset = end;
  };
  weights.forEach(({ weight, bias }, l) => {
    add(`layers.${l}.weight`, [bias.length, weight.length / bias.length], weight);
    add(`layers.${l}.bias`, [bias.length], bias);
  });
  const text = JSON.stringify(header);
  // The format requires a length that is a multiple of 8; white space pads it.
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8), "latin1");
  const bytes = new Uint8Array(8 + head.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const values of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/** @throws RangeError if the bytes are not weights as `encodeWeights` writes them. */
export function decodeWeights(bytes: Uint8Array): Weights {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headLength = Number(view.getBigUint64(0, true));
  if (8 + headLength > bytes.length) throw new RangeError("safetensors: the header is cut off");
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + 8, headLength).toString("latin1");
  const header = JSON.parse(head) as Record<string, Entry>;
  const tensor = (name: string): FloatArray | null => {
    const entry = header[name];
    if (entry === undefined) return null;
    const [begin, end] = entry.data_offsets.map((offset) => 8 + headLength + offset);
    const raw = new Uint8Array(bytes.subarray(begin, end)); // a copy, hence aligned
    if (raw.length !== end! - begin!) throw new RangeError(`safetensors: ${name} is cut off`);
    return entry.dtype === "F64" ? new Float64Array(raw.buffer) : new Float32Array(raw.buffer);
  };
  const layers: Layer[] = [];
  for (let l = 0; ; l++) {
    const weight = tensor(`layers.${l}.weight`);
    const bias = tensor(`layers.${l}.bias`);
    if (weight === null || bias === null) break;
    layers.push({ weight, bias });
  }
  if (layers.length === 0) throw new RangeError("safetensors: no layers in it");
  return layers;
}

interface Entry {
  readonly dtype: "F32" | "F64";
  readonly data_offsets: readonly [number, number];
}
