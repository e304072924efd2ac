/** A usual mistake in manifests, how it is made, and which check finds it. */
import type { Container, Manifest, PodSpec, Spec } from "./kubernetes-manifest.ts";
import { nameOf } from "./kubernetes-manifest.ts";

export interface Mistake {
  readonly what: string;
  readonly set: "demo" | "production" | "spot" | "one sweep";
  readonly by: "schema" | "model" | "type" | "pod" | "program" | "reference";
  readonly fault: string;
  /** Makes it. @returns the manifest that is wrong now. */
  change(all: Manifest[]): Manifest;
}

/** A manifest that anything can be done to. */
export type Loose<T> = T extends readonly (infer Item)[]
  ? Loose<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Loose<T[Key]> } & Record<string, unknown>
    : T;

export const WORKER = "Deployment/ftle-worker";
export const SWEEP = "Job/ftle-sweep";
export const SCALER = "ScaledObject/ftle-worker";

/** The manifest of this name, with its changed spec. */
export function inSpec(name: string, change: (spec: Loose<Spec>) => void) {
  return (all: Manifest[]): Manifest => {
    const found = all.find((manifest) => nameOf(manifest) === name);
    if (found === undefined) throw new Error(`expected ${name}`);
    change(found.spec as Loose<Spec>);
    return found;
  };
}

export const inPod = (name: string, change: (pod: Loose<PodSpec>) => void) =>
  inSpec(name, (spec) => change(spec.template!.spec));

export const inContainer = (name: string, change: (container: Loose<Container>) => void) =>
  inPod(name, (pod) => change(pod.containers[0]!));

export const setVariable = (variable: string, value: string) => (container: Loose<Container>) => {
  container.env!.find(({ name }) => name === variable)!.value = value;
};

export function mistake(
  set: Mistake["set"],
  what: string,
  by: Mistake["by"],
  fault: string,
  change: Mistake["change"],
): Mistake {
  return { set, what, by, fault, change };
}
