/** The constants of an ONNX graph: initializers, and what nodes make of them that an exporter could have computed. */
import type { OnnxGraph, OnnxNode, OnnxTensor } from "./onnx-messages.ts";

export interface Constant {
  readonly tensor: OnnxTensor;
  /** Its two dimensions are to be exchanged. */
  readonly isTransposed: boolean;
}

/** By the names of the values. */
export function constantsOf({ initializer, node }: OnnxGraph): Map<string, Constant> {
  const constants = new Map<string, Constant>();
  for (const tensor of initializer) constants.set(tensor.name, { tensor, isTransposed: false });
  for (const one of node) {
    const constant = constantOf(one, constants);
    if (constant !== null && one.output.length === 1) constants.set(one.output[0]!, constant);
  }
  return constants;
}

function constantOf(
  { opType, domain, attribute, input }: OnnxNode,
  constants: ReadonlyMap<string, Constant>,
): Constant | null {
  if (domain !== "" && domain !== "ai.onnx") return null;
  const of = constants.get(input[0] ?? "");
  const tensor = attribute.find(({ name }) => name === "value")?.t;
  if (opType === "Constant" && tensor !== undefined) return { tensor, isTransposed: false };
  if (opType === "Identity") return of ?? null;
  if (opType !== "Transpose" || of?.tensor.dims.length !== 2) return null;
  const axes = attribute.find(({ name }) => name === "perm")?.ints.join();
  if (axes === "0,1") return of;
  return axes === undefined || axes === "1,0" ? { ...of, isTransposed: !of.isTransposed } : null;
}
