import type { DataSet } from "./data-set.ts";

export type NoneOptions = { readonly inputs: number; readonly outputs: number };

/** No samples at all: for imported networks of which only fields and weights are of interest. */
export const none: DataSet<NoneOptions> = {
  name: "none",
  doc: "No samples: for imported networks, of which nothing but fields and weights is wanted.",
  options: {
    inputs: {
      kind: "integer",
      shapes: true,
      default: 2,
      minimum: 1,
      maximum: 1_000_000,
      doc: "Inputs of the networks.",
    },
    outputs: {
      kind: "integer",
      shapes: true,
      default: 1,
      minimum: 1,
      maximum: 1_000_000,
      doc: "Outputs of the networks.",
    },
  },
  inputs: ({ inputs }) => inputs,
  targets: ({ outputs }) => ({ kind: "values", count: outputs }),
  region: () => ({ x: [-1, 1], y: [-1, 1] }),
  make() {
    const nothing = { samples: 0, inputs: new Float32Array(), targets: new Float32Array() };
    return { train: nothing, test: nothing };
  },
};
