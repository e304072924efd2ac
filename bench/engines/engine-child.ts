/** One of our engines as a contestant. Usage: engine-child.ts ENGINE */
import { readFileSync } from "node:fs";
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import { decodeWeights } from "../../shared/safetensors.ts";
import { fieldWork, trainingWork } from "../../shared/work.ts";
import type { Engine } from "../../worker/engines/engine.ts";
import type { EngineName } from "../../worker/engines/registry.ts";
import { createEngine, resolveEngine } from "../../worker/engines/registry.ts";
import type { Case, FieldCase, TrainingCase } from "./cases.ts";
import { checkedField, checkedTraining, samples, trainingRule } from "./cases.ts";
import type { Prepared } from "./serve.ts";
import { repeated, serve } from "./serve.ts";

await serve<Case>((given) => {
  const engine = createEngine(resolveEngine(process.argv[2] as EngineName));
  return given.kind === "field" ? prepareField(engine, given) : prepareTraining(engine, given);
});

/** Bands of rows as in a task, one after another, repeatedly. */
function prepareField(engine: Engine, given: FieldCase): Prepared {
  const { network, points, halfWidth } = given;
  const loaded = engine.load(network, decodeWeights(readFileSync(given.weights)));
  const x = gridCoordinates([-halfWidth, halfWidth], points);
  const rows = callSize(engine, fieldWork(network, points), points);
  let row = 0;
  const work = () => {
    const y = x.subarray(row, row + rows);
    row = row + rows < points ? row + rows : 0;
    return loaded.field({ x, y, layers: "last" }).output.length;
  };
  const check = checkedField(loaded, given);
  return { run: repeated(work), check, chosen: `${rows} rows a call` };
}

/** Slices of an epoch as in a task, one after another, repeatedly. */
function prepareTraining(engine: Engine, given: TrainingCase): Prepared {
  const { network, batch } = given;
  const { set, order } = samples();
  const weights = decodeWeights(readFileSync(given.weights));
  const check = checkedTraining(engine.load(network, weights), given, { set, order });
  const loaded = engine.load(network, weights);
  const rule = trainingRule(given);
  const state = createOptimizerState(rule.optimizer, network);
  const steps = Math.floor(order.length / batch);
  const slice = callSize(engine, trainingWork(network, 1, { train: batch, test: 0 }), steps);
  let step = 0;
  const work = () => {
    const end = Math.min(step + slice, steps);
    const done = end - step;
    loaded.train(set, order.subarray(step * batch, end * batch), rule, state);
    step = end < steps ? end : 0;
    return done;
  };
  return { run: repeated(work), check, chosen: `${slice} steps a call` };
}

/** Pieces in one call, as worker/tasks/ cuts long work. */
function callSize(engine: Engine, pieceWork: number, pieces: number): number {
  return Math.min(pieces, Math.max(1, Math.floor(engine.callWork / pieceWork)));
}
