/** Linear layers from the nodes of an ONNX graph: Gemm, or MatMul with an Add after it. */
import type { FloatArray } from "../../shared/numerics/network.ts";
import type { DataFault } from "../data/table.ts";
import type { FoundLayer } from "./found-network.ts";
import type { Constant } from "./onnx-constants.ts";
import { placeOf } from "./onnx-graph.ts";
import type { OnnxNode } from "./onnx-messages.ts";
import { type OnnxValues, onnxValues } from "./onnx-tensor.ts";

type Constants = ReadonlyMap<string, Constant>;

/** What was found, or what is wrong. */
type Or<T> = T | DataFault;

export function isFault<T extends object>(value: Or<T>): value is DataFault {
  return "expected" in value && "found" in value;
}

/**
 * The layer of a Gemm, alpha x B + beta C, or of a MatMul, x B, whose bias an Add may give later.
 *
 * alpha and beta go into the weights, which are then rounded to their type.
 */
export function linearLayer(node: OnnxNode, constants: Constants): Or<FoundLayer> {
  const [, weightName = "", biasName = ""] = node.input;
  const place = `constant ${weightName}`;
  if (numberOf(node, "transA", 0) !== 0) {
    const found = "transA = 1, as of samples in columns";
    return { place: placeOf(node), expected: "samples in rows (transA = 0)", found };
  }
  const matrix = matrixOf(place, constants.get(weightName)!);
  if (isFault(matrix)) return matrix;
  const isOutByIn = numberOf(node, "transB", 0) !== 0;
  const [outputs, inputs] = isOutByIn
    ? matrix.shape
    : ([matrix.shape[1], matrix.shape[0]] as const);
  const layer: FoundLayer = {
    name: weightName.replace(/\.weight$/, ""),
    inputs,
    outputs,
    weight: scaled(isOutByIn ? matrix.values : transposed(matrix), numberOf(node, "alpha", 1)),
    bias: null,
    places: { weight: place, bias: `constant ${biasName}` },
  };
  if (biasName === "" || node.opType !== "Gemm") return layer;
  return withBias(layer, biasName, { constants, scale: numberOf(node, "beta", 1) });
}

/** The layer with the bias that an Add gives it, or Gemm's `scale` times that. */
export function withBias(
  layer: FoundLayer,
  name: string,
  { constants, scale = 1 }: { readonly constants: Constants; readonly scale?: number },
): Or<FoundLayer> {
  const place = `constant ${name}`;
  const expected = `a bias [${layer.outputs}]`;
  const { tensor, isTransposed } = constants.get(name)!;
  const found = onnxValues(tensor);
  if (typeof found === "string") return { place, expected, found };
  const { shape, values } = found;
  // ONNX repeats a single number for all outputs, and a vector for all samples.
  const isVector = shape.at(-1) === values.length && !isTransposed;
  if (values.length !== 1 && !isVector) {
    const shown = `[${shape.join(", ")}]${isTransposed ? " transposed" : ""}`;
    return { place, expected, found: shown };
  }
  const bias = values.length === 1 ? repeated(values, layer.outputs) : values;
  return { ...layer, bias: scaled(bias, scale), places: { ...layer.places, bias: place } };
}

/** The value of an attribute. */
export function numberOf(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = node.attribute.find((one) => one.name === name);
  if (attribute === undefined) return otherwise;
  return name === "alpha" || name === "beta" ? attribute.f : Number(attribute.i);
}

interface Matrix {
  readonly shape: readonly [rows: number, columns: number];
  readonly values: FloatArray;
}

function matrixOf(place: string, { tensor, isTransposed }: Constant): Or<Matrix> {
  const expected = "weights of two dimensions, in FLOAT or DOUBLE";
  const found: OnnxValues | string = onnxValues(tensor);
  if (typeof found === "string") return { place, expected, found };
  const { shape, values } = found;
  if (shape.length !== 2) return { place, expected, found: `[${shape.join(", ")}]` };
  const matrix = { shape: [shape[0]!, shape[1]!] as const, values };
  if (!isTransposed) return matrix;
  return { shape: [shape[1]!, shape[0]!], values: transposed(matrix) };
}

function transposed({ shape: [rows, columns], values }: Matrix): FloatArray {
  const result = values.slice();
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  }
  return result;
}

function scaled(values: FloatArray, factor: number): FloatArray {
  return factor === 1 ? values : values.map((value: number) => factor * value);
}

function repeated(values: FloatArray, count: number): FloatArray {
  return values instanceof Float64Array
    ? new Float64Array(count).fill(values[0]!)
    : new Float32Array(count).fill(values[0]!);
}
