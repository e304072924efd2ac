/** Finds the linear layers among the tensors of a safetensors file. */
import type { DataFault } from "../data/table.ts";
import { type FloatType, floatValues } from "./float-values.ts";
import type { FoundLayer, FoundNetwork } from "./found-network.ts";
import { orderLayers } from "./layer-order.ts";
import { readSafetensors, type Tensor } from "./safetensors-file.ts";
import { lookOfBias, lookOfOther, lookOfWeight } from "./tensor-looks.ts";

/** Tensors of one layer; names without a layer's are of the layer "". */
interface Parts {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
}

interface Unusable {
  readonly tensor: Tensor;
  readonly look: string;
}

/** More names of a kind are only counted. */
const MOST_NAMES = 3;

/** @throws DataError if the file is cut off or damaged. */
export function foundInSafetensors(file: string, bytes: Uint8Array): FoundNetwork {
  const { tensors, metadata } = readSafetensors(file, bytes);
  const { parts, unusable } = sortOut(tensors);
  const { layers, fault } = orderLayers([...parts].flatMap(layerOf));
  return {
    layers,
    activation: metadata.activation ?? null,
    outputActivation: metadata.outputActivation ?? null,
    sayer: "the file's metadata",
    faults: [...unusableFaults(unusable), ...(fault === null ? [] : [fault])],
  };
}

/** What may be of linear layers, by layer in the order of the file, and what may not. */
function sortOut(tensors: readonly Tensor[]): { parts: Map<string, Parts>; unusable: Unusable[] } {
  const parts = new Map<string, Parts>();
  const unusable: Unusable[] = [];
  for (const tensor of tensors) {
    const match = /^(?:(.*)\.)?(weight|bias)$/.exec(tensor.name);
    if (match === null) unusable.push({ tensor, look: lookOfOther(tensor) });
    else parts.set(match[1] ?? "", { ...parts.get(match[1] ?? ""), [match[2]!]: tensor });
  }
  for (const [name, { weight, bias }] of parts) {
    const look = weight === undefined ? "a bias without a weight" : lookOfWeight(weight);
    if (look === null && bias !== undefined) {
      const lookOfIt = lookOfBias(bias);
      if (lookOfIt !== null) unusable.push({ tensor: bias, look: lookOfIt });
    }
    if (look === null) continue;
    // Of a layer of another kind, its bias is no fault of its own.
    unusable.push({ tensor: weight ?? bias!, look });
    parts.delete(name);
  }
  return { parts, unusable };
}

function layerOf([name, { weight, bias }]: [string, Parts]): FoundLayer[] {
  const isUsable = bias === undefined || lookOfBias(bias) === null;
  if (weight === undefined || !isUsable) return [];
  const [outputs, inputs] = weight.shape as [number, number];
  return [
    {
      name: name === "" ? "weight" : name,
      inputs,
      outputs,
      weight: floatValues(weight.dtype as FloatType, weight.bytes),
      bias: bias === undefined ? null : floatValues(bias.dtype as FloatType, bias.bytes),
      places: { weight: `tensor ${weight.name}`, bias: `tensor ${bias?.name}` },
    },
  ];
}

/** One fault for each kind of tensor. */
function unusableFaults(unusable: readonly Unusable[]): DataFault[] {
  const looks = new Set(unusable.map(({ look }) => look));
  return [...looks].map((look) => {
    const tensors = unusable.filter((one) => one.look === look).map(({ tensor }) => tensor);
    const names = tensors.slice(0, MOST_NAMES).map(({ name }) => name);
    const more = tensors.length - names.length;
    const { dtype, shape } = tensors[0]!;
    return {
      place: `tensor ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
      expected: "weights [out, in] and biases [out] of linear layers, in F32 or F64",
      found: `${dtype} [${shape.join(", ")}], which looks like: ${look}`,
    };
  });
}
