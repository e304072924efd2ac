/** The chain of nodes that an ONNX graph of a fully connected network is, and what else it may be instead. */
import type { DataFault } from "../data/table.ts";
import { type Constant, constantsOf } from "./onnx-constants.ts";
import type { OnnxGraph, OnnxNode } from "./onnx-messages.ts";

export interface OnnxChain {
  /** From the input to the output, each but for constants taking what the one before it gives. */
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly faults: readonly DataFault[];
}

/** Operators that the graph of a network here may have. */
const KNOWN: ReadonlySet<string> = new Set([
  ...["Gemm", "MatMul", "Add", "Tanh", "Relu", "Sigmoid"],
  ...["Identity", "Flatten", "Reshape", "Softmax", "LogSoftmax"],
]);

const LOOKS: readonly { readonly part: RegExp; readonly look: string }[] = [
  { part: /Conv/, look: "a convolution" },
  { part: /Normalization$/, look: "a normalisation" },
  { part: /Pool/, look: "pooling, as between convolutions" },
  { part: /^(LSTM|GRU|RNN)$/, look: "a recurrent layer" },
  { part: /Attention|^Einsum$/, look: "attention" },
  { part: /Quantize|^QLinear|Integer$/, look: "a quantised model" },
  { part: /^(If|Loop|Scan)$/, look: "a program and no chain of layers" },
];

/** The chain; of a graph with faults, an empty one. */
export function chainOf(graph: OnnxGraph): OnnxChain {
  const constants = constantsOf(graph);
  const nodes = graph.node.filter(({ output }) => !output.every((name) => constants.has(name)));
  const inputs = graph.input.map(({ name }) => name).filter((name) => !constants.has(name));
  const faults = [
    ...unknownFaults(nodes),
    ...nodes
      .filter((node) => KNOWN.has(operatorOf(node)))
      .flatMap((node) => inputFaults(node, constants)),
    ...endFaults("graph inputs", inputs),
    ...endFaults(
      "graph outputs",
      graph.output.map(({ name }) => name),
    ),
  ];
  if (graph.sparseInitializer.length > 0) {
    faults.push({ place: "graph", expected: "weights as dense tensors", found: "sparse ones" });
  }
  if (faults.length > 0) return { nodes: [], constants, faults };
  return { constants, ...follow(nodes, inputs[0]!, graph.output[0]!.name) };
}

/** How faults name a node. */
export function placeOf({ name, opType, output }: OnnxNode): string {
  return `node ${name === "" ? `${opType} of ${output[0]}` : name}`;
}

function operatorOf({ domain, opType }: OnnxNode): string {
  return domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
}

/** One fault that names all operators. */
function unknownFaults(nodes: readonly OnnxNode[]): DataFault[] {
  const unknown = nodes.map(operatorOf).filter((operator) => !KNOWN.has(operator));
  if (unknown.length === 0) return [];
  const found = [...new Set(unknown)].map((operator) => {
    const look = LOOKS.find(({ part }) => part.test(operator))?.look;
    return look === undefined ? operator : `${operator} (${look})`;
  });
  const expected = `no operators but ${[...KNOWN].join(", ")}`;
  return [{ place: "graph", expected, found: found.join(", ") }];
}

/** The first input must be computed and the others be constants; of an Add, either. */
function inputFaults(node: OnnxNode, constants: ReadonlyMap<string, Constant>): DataFault[] {
  const { opType, input } = node;
  const names = input.filter((name) => name !== "");
  const computed = names.filter((name) => !constants.has(name));
  const place = placeOf(node);
  const refuse = (expected: string, found: string) => [{ place, expected, found }];
  if (computed.length > 1) {
    const found = computed.join(", ");
    return opType === "Add"
      ? refuse("an Add of a bias", `one of ${found}, as of a residual connection`)
      : refuse(`a ${opType} with constants`, `dynamic weights: ${found} are inputs or computed`);
  }
  if (computed.length === 0) {
    return refuse("an input that is no constant", names.join(", ") || "none");
  }
  if (opType !== "Add" && computed[0] !== input[0]) {
    return refuse("[samples, in] as the first factor", `${input[0]}, a constant`);
  }
  const isBinary = ["Gemm", "MatMul", "Add"].includes(opType);
  if (isBinary && (input[0] === "" || (input[1] ?? "") === "")) {
    return refuse("two inputs, one of them a constant", names.join(", "));
  }
  return [];
}

function endFaults(place: string, names: readonly string[]): DataFault[] {
  if (names.length === 1) return [];
  return [{ place, expected: "one", found: names.join(", ") || "none" }];
}

function follow(
  nodes: readonly OnnxNode[],
  input: string,
  output: string,
): { nodes: readonly OnnxNode[]; faults: readonly DataFault[] } {
  const users = usersOf(nodes);
  const chain = new Set<OnnxNode>();
  let current = input;
  while (current !== output) {
    const takers = users.get(current) ?? [];
    const [next] = takers;
    if (next === undefined || takers.length > 1 || chain.has(next)) {
      const found = takers.map(placeOf).join(", ") || "none: the graph's output is elsewhere";
      const fault = { place: `value ${current}`, expected: "one node that takes it", found };
      return { nodes: [], faults: [fault] };
    }
    chain.add(next);
    current = next.output[0] ?? "";
  }
  return { nodes: [...chain], faults: [] };
}

function usersOf(nodes: readonly OnnxNode[]): ReadonlyMap<string, readonly OnnxNode[]> {
  const users = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const name of node.input) {
      const known = users.get(name);
      if (known === undefined) users.set(name, [node]);
      else known.push(node);
    }
  }
  return users;
}
