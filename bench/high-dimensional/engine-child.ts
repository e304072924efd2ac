/** One of our engines as a contestant. Usage: engine-child.ts ENGINE */
import { readFileSync } from "node:fs";
import { exponentsWorkOf } from "../../shared/analyses/split.ts";
import { decodeWeights } from "../../shared/safetensors.ts";
import type { Engine } from "../../worker/engines/engine.ts";
import type { EngineName } from "../../worker/engines/registry.ts";
import { createEngine, resolveEngine } from "../../worker/engines/registry.ts";
import { computeTile } from "../../worker/tasks/field.ts";
import { computePlaneTile } from "../../worker/tasks/plane-tile.ts";
import { progressOver } from "../../worker/tasks/progress.ts";
import type { Prepared } from "../engines/serve.ts";
import { repeated, serve } from "../engines/serve.ts";
import type { Case, FieldCase, SamplesCase } from "./cases.ts";

await serve<Case>((given) => {
  const engine = createEngine(resolveEngine(process.argv[2] as EngineName));
  return given.kind === "samples" ? prepareSamples(engine, given) : prepareField(engine, given);
});

/** Blocks of samples as in the analysis `exponents`, one after another, repeatedly. */
function prepareSamples(engine: Engine, given: SamplesCase): Prepared {
  const { network, checked } = given;
  const loaded = engine.load(network, decodeWeights(readFileSync(given.weights)));
  const bytes = readFileSync(given.inputs);
  const inputs = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  );
  const samples = inputs.length / network.inputs;
  const block = Math.max(1, Math.floor(engine.callWork / exponentsWorkOf(network)));
  const exponents = (from: number, to: number) =>
    loaded.exponents(inputs.subarray(from * network.inputs, to * network.inputs)).lambda1;
  let from = 0;
  const work = () => {
    const to = Math.min(from + block, samples);
    const done = exponents(from, to).length;
    from = to < samples ? to : 0;
    return done;
  };
  const check = [...exponents(0, checked)];
  return { run: repeated(work), check, chosen: `${block} samples a call` };
}

/** The whole tile repeatedly, as a worker computes it. */
function prepareField(engine: Engine, { task, weights: path }: FieldCase): Prepared {
  const tools = { weights: decodeWeights(readFileSync(path)), engine, progress: progressOver() };
  const compute = () =>
    task.grid.plane === undefined ? computeTile(task, tools) : computePlaneTile(task, null, tools);
  const work = () => compute().lambda1.length;
  return { run: repeated(work), check: [...compute().lambda1.slice(0, 10)], chosen: "whole tile" };
}
