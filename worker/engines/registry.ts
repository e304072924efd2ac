import { InvalidTaskError } from "../../shared/errors.ts";
import type { Engine } from "./engine.ts";
import { loadNative, NATIVE_ID } from "./native.ts";
import { referenceEngine } from "./reference.ts";
import { loadTfjs, TFJS_ID } from "./tfjs.ts";

/** An engine, or in one line for a person why it is not here and how to get it. */
export type LoadedEngine = { readonly engine: Engine } | { readonly missing: string };

interface EngineEntry {
  readonly id: string;
  load(): LoadedEngine;
  /**
   * Field work a second of one thread, in round figures, as `npm run bench` measured it: it sizes tiles, and
   * those must not depend on how busy a machine is. Times are estimated from rates measured here and now.
   */
  readonly fieldRate: number;
}

/** Engines by the name a person uses, best first: `auto` takes the first that is here. */
export const engines = {
  native: { id: NATIVE_ID, load: memo(loadNative), fieldRate: 1e11 },
  tfjs: { id: TFJS_ID, load: memo(loadTfjs), fieldRate: 3e10 },
  reference: { id: referenceEngine.id, load: () => ({ engine: referenceEngine }), fieldRate: 1e9 },
} as const satisfies Record<string, EngineEntry>;

export type EngineName = keyof typeof engines;

/** The id that stands for an engine's name in cell ids; whether it is here is another matter. */
export function resolveEngine(name: EngineName | "auto"): string {
  if (name !== "auto") return engines[name].id;
  return Object.values(engines).find(({ load }) => "engine" in load())!.id;
}

/** The engine with this id, and the name a person uses for it; undefined if this program has none such. */
export function engineWithId(
  id: string,
): (EngineEntry & { readonly name: EngineName }) | undefined {
  const names = Object.keys(engines) as EngineName[];
  const name = names.find((candidate) => engines[candidate].id === id);
  return name === undefined ? undefined : { name, ...engines[name] };
}

/** Engines that `auto` would rather have taken than the one with this id, with the reason. */
export function missingBefore(id: string): { name: string; reason: string }[] {
  const missing = [];
  for (const [name, engine] of Object.entries(engines)) {
    if (engine.id === id) break;
    const loaded = engine.load();
    if ("missing" in loaded) missing.push({ name, reason: loaded.missing });
  }
  return missing;
}

/** @throws InvalidTaskError if this program has no engine of that id, or it is not here. */
export function createEngine(id: string): Engine {
  const entry = engineWithId(id);
  if (entry === undefined) {
    const known = Object.values(engines).map((candidate) => candidate.id);
    throw new InvalidTaskError(`expected an engine among ${known.join(", ")}, got ${id}`);
  }
  const loaded = entry.load();
  if ("missing" in loaded)
    throw new InvalidTaskError(`engine ${id} is not here: ${loaded.missing}`);
  return loaded.engine;
}

/** Loads once: whether an engine is here does not change while the program runs. */
function memo(load: () => LoadedEngine): () => LoadedEngine {
  let loaded: LoadedEngine | null = null;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
