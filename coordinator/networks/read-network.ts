/** Reads a fully connected network that was trained elsewhere, from a safetensors or an ONNX file. */
import type {
  Activation,
  FloatArray,
  Layer,
  NetworkShape,
  Weights,
} from "../../shared/numerics/network.ts";
import { DataError, type DataFault } from "../data/table.ts";
import { type ActivationKind, resolveActivation } from "./activations.ts";
import { formatOf } from "./file-format.ts";
import type { FoundLayer, FoundNetwork } from "./found-network.ts";
import { layerFaults } from "./layer-faults.ts";
import { foundInOnnx } from "./onnx-network.ts";
import { foundInSafetensors } from "./safetensors-network.ts";

export interface ReadNetworkOptions {
  /** Its name, for faults alone: the content tells the format. */
  readonly file: string;
  /** Of the hidden layers. Needed if the file does not say; must not contradict it if it does. */
  readonly activation?: Activation | undefined;
  /** Of the output layer; likewise. */
  readonly outputActivation?: Activation | undefined;
}

export interface ReadNetwork {
  readonly network: NetworkShape;
  /** Of one type: float64 if anything in the file is, otherwise float32, which holds float16 and bfloat16 exactly. */
  readonly weights: Weights;
}

/**
 * The network of a file: of safetensors, pairs of `*.weight` [out, in] and `*.bias` [out]; of ONNX, a chain of such layers.
 *
 * A softmax at the end of an ONNX graph is left out: outputs here are what it is given.
 *
 * @throws DataError with all that is wrong with the file, also if it is of neither format
 */
export function readNetwork(bytes: Uint8Array, options: ReadNetworkOptions): ReadNetwork {
  const { file } = options;
  const format = formatOf(file, bytes);
  const found = format === "onnx" ? foundInOnnx(file, bytes) : foundInSafetensors(file, bytes);
  const activation = resolve(found, "activation", options);
  const outputActivation = resolve(found, "outputActivation", options);
  // Layers among which some are missing would fit together badly, which is no further fault.
  const faults = [...found.faults, ...(found.faults.length > 0 ? [] : layerFaults(found))];
  if (faults.length > 0 || isFault(activation) || isFault(outputActivation)) {
    throw new DataError(file, [...faults, ...[activation, outputActivation].filter(isFault)]);
  }
  return networkOf(found.layers, { activation, outputActivation });
}

function resolve(found: FoundNetwork, kind: ActivationKind, options: ReadNetworkOptions) {
  return resolveActivation(kind, { said: found[kind], sayer: found.sayer, given: options[kind] });
}

function isFault(value: Activation | DataFault): value is DataFault {
  return typeof value === "object";
}

/** The network of layers without faults. A missing bias is zero, as PyTorch's `bias=False`. */
function networkOf(
  found: readonly FoundLayer[],
  activations: { readonly activation: Activation; readonly outputActivation: Activation },
): ReadNetwork {
  const isFloat64 = found.some(({ weight, bias }) => [weight, bias].some(isOfFloat64));
  const toType = isFloat64 ? toFloat64 : toFloat32;
  const weights = found.map(({ weight, bias, outputs }): Layer => {
    return { weight: toType(weight), bias: toType(bias ?? new Float32Array(outputs)) };
  });
  const network = {
    inputs: found[0]!.inputs,
    hidden: found.slice(0, -1).map(({ outputs }) => outputs),
    outputs: found.at(-1)!.outputs,
    ...activations,
  };
  return { network, weights };
}

function isOfFloat64(values: FloatArray | null): boolean {
  return values instanceof Float64Array;
}

function toFloat64(values: FloatArray): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

function toFloat32(values: FloatArray): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
