import { initialWeights } from "../shared/numerics/initialise.ts";
import type { NetworkShape } from "../shared/numerics/network.ts";
import { createOptimizerState } from "../shared/numerics/optimizers.ts";
import type { TrainingRule } from "../shared/numerics/training.ts";
import { fieldWork, trainingWork } from "../shared/work.ts";
import { createEngine } from "./engines/registry.ts";

/** Long enough for a compiler to have warmed up, short enough not to be noticed. */
const MEASURE_MS = 60;
/** As many are made however long they take: on a busy machine one may be interrupted for longer than that. */
const LEAST_CALLS = 5;
/** A speed is known when so many calls in a row were not clearly faster than the best before. */
const SETTLED_CALLS = 10;

/** The network on which speeds are measured. */
export const MEASURED_NETWORK: NetworkShape = {
  inputs: 2,
  hidden: [32, 32, 32, 32],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};

/** A first estimate of one thread's floating-point operations per second, counted as in `shared/work.ts`. */
export function measureRates(engineId: string): { train: number; field: number } {
  const network = MEASURED_NETWORK;
  const weights = initialWeights(network, { weightVariance: 1 / 32, thresholdVariance: 0 }, [1, 2]);
  const loaded = createEngine(engineId).load(network, weights);
  const optimizer = { name: "sgd", learningRate: 1e-3, momentum: 0 } as const;
  const batch = 64;
  const training = { loss: "squared-error", optimizer, batch, weightDecay: 0 } as const;
  const rule: TrainingRule = { ...training, frozen: network.hidden.map(() => false).concat(false) };
  const samples = 256;
  const inputs = Float32Array.from({ length: 2 * samples }, (_, i) => Math.cos(i));
  const set = { samples, inputs, targets: new Float32Array(samples).fill(1) };
  const order = Uint32Array.from({ length: samples }, (_, i) => i);
  const state = createOptimizerState(optimizer, network);
  const axis = Float64Array.from({ length: 16 }, (_, i) => i / 8 - 1);
  try {
    return {
      train: rate(trainingWork(network, 1, { train: samples, test: 0 }), () =>
        loaded.train(set, order, rule, state),
      ),
      field: rate(fieldWork(network, axis.length ** 2), () =>
        loaded.field({ x: axis, y: axis, layers: "last" }),
      ),
    };
  } finally {
    loaded.dispose();
  }
}

/** Work a second of the fastest call; the calls end as soon as they no longer get faster. */
function rate(work: number, call: () => void): number {
  const start = performance.now();
  let best = Number.POSITIVE_INFINITY;
  let settled = 0;
  const isTimeLeft = () => performance.now() - start < MEASURE_MS;
  for (let calls = 0; settled < SETTLED_CALLS && (calls < LEAST_CALLS || isTimeLeft()); calls++) {
    const before = performance.now();
    call();
    const ms = performance.now() - before;
    settled = ms < 0.95 * best ? 0 : settled + 1;
    best = Math.min(best, ms);
  }
  return (work * 1000) / best;
}
