/** Networks that no machine could hold are refused before anything is started. */
import { parameterCount } from "../../shared/numerics/network.ts";
import { combinations, type Lattice } from "./enumerate.ts";
import type { Complaint } from "./spec-text.ts";

/**
 * The most weights and thresholds of one network: in float64 they are a file of 1 GiB, and Node reads at most 2 GiB at
 * once; training takes about three times as much memory.
 */
export const MAX_PARAMETERS = 2 ** 27;

/** A complaint about the first network that is too large, in a lattice without faults. */
export function largeNetwork(lattice: Lattice): Complaint[] {
  if (largestCount(lattice) <= MAX_PARAMETERS) return [];
  for (const { hidden } of combinations(lattice)) {
    const count = countOf(hidden);
    if (count <= MAX_PARAMETERS) continue;
    const isUniform = hidden.every((width) => width === hidden[0]);
    const shape = isUniform ? `width ${hidden[0]}, depth ${hidden.length}` : hidden.join("-");
    return [
      {
        path: ["axes", lattice.axes.layers.kind === "explicit" ? "hidden" : "width"],
        expected: `networks of at most ${MAX_PARAMETERS.toLocaleString("en-US")} weights and thresholds`,
        found: `${count.toLocaleString("en-US")} (${shape})`,
        hint: "",
      },
    ];
  }
  return []; // constraints leave the large ones out
}

/** An upper bound for the networks of the lattice. */
function largestCount({ axes: { layers } }: Lattice): number {
  if (layers.kind === "imported") return 0; // they have been read
  if (layers.kind === "explicit") return maximum(layers.hidden.map(countOf));
  const width = maximum(layers.width);
  return countOf(new Array<number>(maximum(layers.depth)).fill(width));
}

/** With the smallest possible numbers of inputs and outputs. */
function countOf(hidden: readonly number[]): number {
  const g = { activation: "tanh", outputActivation: "tanh" } as const;
  return parameterCount({ inputs: 1, hidden, outputs: 1, ...g });
}

function maximum(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}
