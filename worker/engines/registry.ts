import { InvalidTaskError } from "../../shared/errors.ts";
import type { Engine } from "./engine.ts";
import { referenceEngine } from "./reference.ts";

/** Engines by the name a person uses, fastest first: `auto` takes the first that is available. */
export const engines = {
  reference: { id: referenceEngine.id, create: () => referenceEngine },
} as const satisfies Record<string, { readonly id: string; create(): Engine }>;

export type EngineName = keyof typeof engines;

/** The id that stands for an engine's name in cell ids. */
export function resolveEngine(name: EngineName | "auto"): string {
  return name === "auto" ? Object.values(engines)[0]!.id : engines[name].id;
}

/** @throws InvalidTaskError if this program has no engine of that id. */
export function createEngine(id: string): Engine {
  const entry = Object.values(engines).find((candidate) => candidate.id === id);
  if (entry === undefined) {
    const known = Object.values(engines).map((candidate) => candidate.id);
    throw new InvalidTaskError(`expected an engine among ${known.join(", ")}, got ${id}`);
  }
  return entry.create();
}
