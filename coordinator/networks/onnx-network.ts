/** Finds the layers and activations of a fully connected network in the graph of an ONNX file, which is not run. */
import type { Activation } from "../../shared/numerics/network.ts";
import { DataError, type DataFault } from "../data/table.ts";
import { OPERATOR_ACTIVATIONS } from "./activations.ts";
import type { FoundLayer, FoundNetwork } from "./found-network.ts";
import { chainOf, type OnnxChain, placeOf } from "./onnx-graph.ts";
import { isFault, linearLayer, numberOf, withBias } from "./onnx-layers.ts";
import { decodeOnnx, type OnnxGraph, type OnnxNode } from "./onnx-messages.ts";

/** A layer with what was applied to it. */
interface Stage {
  /** null: it has faults. */
  readonly layer: FoundLayer | null;
  /** null: nothing yet, which is linear. */
  readonly activation: Activation | null;
  /** Its bias may follow: it is of a MatMul, and nothing came after it. */
  readonly isOpen: boolean;
}

interface Progress {
  readonly stages: readonly Stage[];
  readonly hasSoftmax: boolean;
}

/** @throws DataError with all that keeps the graph from being a chain of linear layers; also if the file is cut off or no ONNX file. */
export function foundInOnnx(file: string, bytes: Uint8Array): FoundNetwork {
  const chain = chainOf(decode(file, bytes));
  const { stages, faults } = stagesOf(chain);
  const layers = stages.flatMap(({ layer }) => layer ?? []);
  const hidden = stages.slice(0, -1).map(({ activation }) => activation ?? "linear");
  if (faults.length === 0 && new Set(hidden).size > 1) {
    const expected = "the same activation of all hidden layers";
    const found = hidden.map((activation, l) => `${activation} of ${layers[l]!.name}`).join(", ");
    faults.push({ place: "activation", expected, found });
  }
  if (faults.length > 0) throw new DataError(file, faults);
  return {
    layers,
    activation: hidden[0] ?? null,
    outputActivation: stages.at(-1)?.activation ?? "linear",
    sayer: "the file's graph",
    faults,
  };
}

function decode(file: string, bytes: Uint8Array): OnnxGraph {
  const refuse = (expected: string, found: string): never => {
    throw new DataError(file, [{ place: "", expected, found }]);
  };
  try {
    const { graph, opsetImport } = decodeOnnx(bytes);
    if (graph === undefined)
      return refuse("an ONNX model with a graph", "none: the file is cut off");
    // Exporters write it last, so without it a graph may be cut off where it still reads well.
    if (opsetImport.length === 0) return refuse("an opset_import", "none: the file is cut off");
    return graph;
  } catch (error) {
    if (error instanceof DataError) throw error;
    const { message } = error as Error;
    return refuse("an ONNX file", `${message}: the file is cut off, damaged, or of another format`);
  }
}

function stagesOf(chain: OnnxChain): { stages: readonly Stage[]; faults: DataFault[] } {
  const faults = [...chain.faults];
  let progress: Progress = { stages: [], hasSoftmax: false };
  for (const node of chain.nodes) {
    const next = step(node, progress, chain);
    if (!isFault(next)) progress = next;
    else {
      faults.push(next);
      // So that what follows a layer with faults has no faults for that.
      if (isLinear(node)) progress = withStage(progress, { ...NO_STAGE, layer: null });
    }
  }
  return { stages: progress.stages, faults };
}

const NO_STAGE = { activation: null, isOpen: false };

function isLinear({ opType }: OnnxNode): boolean {
  return opType === "Gemm" || opType === "MatMul";
}

function withStage({ stages, hasSoftmax }: Progress, stage: Stage): Progress {
  return { stages: [...stages, stage], hasSoftmax };
}

function step(node: OnnxNode, progress: Progress, chain: OnnxChain): Progress | DataFault {
  const { opType } = node;
  const refuse = (expected: string, found = opType) => ({ place: placeOf(node), expected, found });
  const { stages, hasSoftmax } = progress;
  const last = stages.at(-1);
  if (opType === "Identity") return progress;
  if (hasSoftmax) return refuse("nothing after the softmax");
  if (isLinear(node)) {
    const layer = linearLayer(node, chain.constants);
    if (isFault(layer)) return layer;
    return withStage(progress, { ...NO_STAGE, layer, isOpen: opType === "MatMul" });
  }
  if (opType === "Flatten" || opType === "Reshape") {
    if (last !== undefined) return refuse("a change of shape before the first layer alone");
    return changesSamples(node, chain) ? refuse("[samples, in] as its result") : progress;
  }
  if (last === undefined) return refuse("a linear layer first");
  if (opType === "Softmax" || opType === "LogSoftmax") {
    const axis = numberOf(node, "axis", -1);
    if (axis !== 1 && axis !== -1) return refuse("axis 1, of the outputs", `axis ${axis}`);
    return { stages, hasSoftmax: true };
  }
  const stage = opType === "Add" ? added(node, last, chain) : activated(node, last);
  return isFault(stage) ? stage : { stages: [...stages.slice(0, -1), stage], hasSoftmax };
}

/** Is the result of a Flatten or a Reshape anything but one row for each sample? */
function changesSamples(node: OnnxNode, { constants }: OnnxChain): boolean {
  if (node.opType === "Flatten") return numberOf(node, "axis", 1) !== 1;
  const shape = constants.get(node.input[1] ?? "")?.tensor;
  return shape?.dims.join() !== "2";
}

function added(
  node: OnnxNode,
  { layer, isOpen }: Stage,
  { constants }: OnnxChain,
): Stage | DataFault {
  if (layer === null) return { ...NO_STAGE, layer };
  if (!isOpen) {
    const expected = "an Add of a bias right after MatMul";
    return { place: placeOf(node), expected, found: "one after something else" };
  }
  const bias = node.input.find((name) => constants.has(name))!;
  const biased = withBias(layer, bias, { constants });
  return isFault(biased) ? biased : { ...NO_STAGE, layer: biased };
}

function activated(node: OnnxNode, last: Stage): Stage | DataFault {
  const activation = OPERATOR_ACTIVATIONS.get(node.opType)!;
  if (last.activation !== null) {
    const found = `${node.opType} after ${last.activation}`;
    return { place: placeOf(node), expected: "one activation after a layer", found };
  }
  return { layer: last.layer, activation, isOpen: false };
}
