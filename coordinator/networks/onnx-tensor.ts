/** The numbers of a tensor of an ONNX file. */
import type { FloatArray } from "../../shared/numerics/network.ts";
import { FLOAT_BYTES, type FloatType, floatValues, fromHalves } from "./float-values.ts";
import type { OnnxTensor } from "./onnx-messages.ts";

export interface OnnxValues {
  readonly shape: readonly number[];
  /** Row-major; one or more. */
  readonly values: FloatArray;
}

/** By the numbers of TensorProto.DataType. */
const FLOATS: Readonly<Record<number, FloatType>> = { 1: "F32", 10: "F16", 11: "F64", 16: "BF16" };

/** Others, for faults. */
const OTHERS: Readonly<Record<number, string>> = {
  2: "UINT8",
  3: "INT8",
  4: "UINT16",
  5: "INT16",
  6: "INT32",
  7: "INT64",
  8: "STRING",
  9: "BOOL",
  12: "UINT32",
  13: "UINT64",
};

const EXTERNAL = 1;

/** The values, or why there are none. */
export function onnxValues(tensor: OnnxTensor): OnnxValues | string {
  const { dataLocation, dataType, dims, rawData } = tensor;
  if (dataLocation === EXTERNAL) {
    return "external data, in another file: export with the weights inside (torch.onnx.export(…, external_data=False))";
  }
  const type = FLOATS[dataType];
  if (type === undefined) return `type ${OTHERS[dataType] ?? dataType}`;
  const shape = dims.map(Number);
  if (shape.some((size) => size < 1)) return `[${shape.join(", ")}], which is empty`;
  const count = shape.reduce((product, size) => product * size, 1);
  const isRaw = rawData.length > 0;
  const length = isRaw ? rawData.length / FLOAT_BYTES[type] : listOf(type, tensor).length;
  if (length !== count) return `${length} numbers for [${shape.join(", ")}]`;
  return { shape, values: isRaw ? floatValues(type, rawData) : fromList(type, tensor) };
}

function listOf(type: FloatType, { doubleData, floatData, int32Data }: OnnxTensor) {
  if (type === "F64") return doubleData;
  return type === "F32" ? floatData : int32Data;
}

function fromList(type: FloatType, tensor: OnnxTensor): FloatArray {
  const list = listOf(type, tensor);
  if (type === "F64") return Float64Array.from(list);
  return type === "F32" ? Float32Array.from(list) : fromHalves(type, Uint16Array.from(list));
}
