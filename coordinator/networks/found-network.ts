/** What a file of a network holds, as the reader of its format found it. */
import type { FloatArray } from "../../shared/numerics/network.ts";
import type { DataFault } from "../data/table.ts";

export interface FoundLayer {
  /** As the file names it. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Row-major [outputs, inputs]. */
  readonly weight: FloatArray;
  /** null: the layer has none. */
  readonly bias: FloatArray | null;
  /** How faults name the two, such as `tensor 0.weight`. */
  readonly places: { readonly weight: string; readonly bias: string };
}

export interface FoundNetwork {
  /** From the first hidden layer to the output layer; of a file with faults, what could be read. */
  readonly layers: readonly FoundLayer[];
  /** As the file says it, not yet checked; null if it does not. */
  readonly activation: string | null;
  readonly outputActivation: string | null;
  /** Who says the activations. */
  readonly sayer: string;
  readonly faults: readonly DataFault[];
}
