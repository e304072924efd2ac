/** Which activation a network has, from what its file says and what the caller gives. */
import type { Activation } from "../../shared/numerics/network.ts";
import type { DataFault } from "../data/table.ts";

export type ActivationKind = "activation" | "outputActivation";

/** Of ONNX's operators, those that are an activation here. */
export const OPERATOR_ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ["Tanh", "tanh"],
  ["Relu", "relu"],
  ["Sigmoid", "sigmoid"],
]);

const ACTIVATIONS: readonly string[] = ["tanh", "relu", "sigmoid", "linear"] satisfies Activation[];

const NEEDED_FOR: Readonly<Record<ActivationKind, string>> = {
  activation: "the activation of the hidden layers",
  outputActivation: "the activation of the output layer",
};

export interface ActivationSources {
  /** What the file says, which may be anything; null: nothing. */
  readonly said: string | null;
  /** Who says it in the file, such as `the file's metadata`. */
  readonly sayer: string;
  readonly given: Activation | undefined;
}

/** The activation, or a fault if nobody says it, or the two contradict each other. */
export function resolveActivation(
  kind: ActivationKind,
  { said, sayer, given }: ActivationSources,
): Activation | DataFault {
  if (said === null) {
    const expected = `${NEEDED_FOR[kind]}, which the file does not say: give it, one of ${ACTIVATIONS.join(", ")}`;
    return given ?? { place: kind, expected, found: "none" };
  }
  if (!isActivation(said)) {
    const expected = `one of ${ACTIVATIONS.join(", ")} in ${sayer}`;
    return { place: kind, expected, found: JSON.stringify(said) };
  }
  if (given === undefined || given === said) return said;
  return { place: kind, expected: `${said}, as ${sayer} says`, found: `${given}, as given` };
}

function isActivation(name: string): name is Activation {
  return ACTIVATIONS.includes(name);
}
