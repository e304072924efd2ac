/**
 * Digests of what an engine computes: equal digests, equal bytes. Run by itself, this prints those of the
 * native engine, so that processes on other processors can be compared.
 */
import { createHash } from "node:crypto";
import { argv, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { Activation, FloatArray, NetworkShape } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import { rateFactors } from "../../shared/numerics/schedule.ts";
import type { Loss, Optimizer, TrainingRule } from "../../shared/numerics/training.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { loadNative } from "../engines/native.ts";

/** Shapes that leave remainders in every blocking: of rows, vectors and points. */
const shapes: readonly (readonly number[])[] = [
  [1],
  [3, 2],
  [10, 10, 10],
  [17, 50, 1, 9],
  [70, 33],
];
const activations: readonly Activation[] = ["tanh", "relu", "sigmoid", "linear"];
const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.05, momentum: 0 },
  { name: "sgd", learningRate: 0.05, momentum: 0.9 },
  { name: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.01, decay: 0.99, epsilon: 1e-8 },
];

export function resultDigests(engine: Engine): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const hidden of shapes) {
    for (const activation of activations) {
      // The strong gain saturates and makes tangents shrink and grow by many powers of two.
      for (const gain of [0.5, 40]) {
        const name = `${activation} [${hidden}] gain ${gain}`;
        digests[`field ${name}`] = fieldDigest(engine, shape({ hidden, activation }), gain);
      }
      for (const inputs of [1, 5, 20]) {
        const network = shape({ hidden, activation, inputs });
        digests[`points ${activation} ${inputs} [${hidden}]`] = pointsDigest(engine, network);
      }
    }
    for (const optimizer of optimizers) {
      for (const [loss, outputActivation, outputs] of losses) {
        const network = shape({ hidden, outputActivation, outputs });
        const name = `${optimizer.name} ${"momentum" in optimizer ? optimizer.momentum : ""}`;
        digests[`training ${name} ${loss} [${hidden}]`] = trainingDigest(engine, network, {
          optimizer,
          loss,
        });
      }
    }
  }
  for (const optimizer of optimizers) {
    const length = { stepsPerEpoch: 5, epochs: 9 };
    const factor = rateFactors({ name: "cosine", to: 0.01, warmup: 2.5 }, length);
    const rateAt = (step: number) => optimizer.learningRate * factor(step);
    const network = shape({ hidden: [17, 50, 1, 9] });
    const name = `${optimizer.name} ${"momentum" in optimizer ? optimizer.momentum : ""}`;
    const rule = { optimizer, loss: "squared-error", rateAt } as const;
    digests[`training ${name} cosine`] = trainingDigest(engine, network, rule);
  }
  const deep = shape({ hidden: new Array<number>(60).fill(12) });
  digests["field deep"] = fieldDigest(engine, deep, 3);
  return digests;
}

const losses: readonly [Loss, Activation, number][] = [
  ["squared-error", "tanh", 1],
  ["softmax-cross-entropy", "linear", 10],
  ["binary-cross-entropy", "sigmoid", 1],
];

function shape(network: Partial<NetworkShape> & Pick<NetworkShape, "hidden">): NetworkShape {
  return { inputs: 2, outputs: 1, activation: "tanh", outputActivation: "tanh", ...network };
}

function load(engine: Engine, network: NetworkShape, gain: number): LoadedNetwork {
  const scale = { weightVariance: gain / network.hidden[0]!, thresholdVariance: 0.25 };
  return engine.load(network, initialWeights(network, scale, [5, 8]));
}

function fieldDigest(engine: Engine, network: NetworkShape, gain: number): string {
  const axis = (points: number) => Float64Array.from({ length: points }, (_, i) => i / 7 - 1.3);
  const loaded = load(engine, network, gain);
  const field = loaded.field({ x: axis(19), y: axis(7), layers: "all" });
  loaded.dispose();
  return digest([field.lambda1, field.lambda2, field.direction, field.output]);
}

function pointsDigest(engine: Engine, network: NetworkShape): string {
  const loaded = load(engine, network, 1);
  const inputs = normals(37 * network.inputs);
  const { lambda1, lambda2 } = loaded.exponents(inputs);
  const layers = [...network.hidden, 1].map((_, l) => loaded.activations(inputs, l + 1));
  loaded.dispose();
  return digest([lambda1, lambda2, ...layers]);
}

function trainingDigest(
  engine: Engine,
  network: NetworkShape,
  { optimizer, loss, rateAt }: Partial<TrainingRule> & Pick<TrainingRule, "optimizer" | "loss">,
): string {
  const samples = 150;
  const { outputs } = network;
  const targets = Float32Array.from({ length: samples * outputs }, (_, at) => {
    return outputs === 1 ? at % 2 : Number(at % outputs === Math.floor(at / outputs) % outputs);
  });
  const set = { samples, inputs: normals(2 * samples), targets };
  const frozen = [...network.hidden, outputs].map(() => false);
  const state = createOptimizerState(optimizer, network);
  const loaded = load(engine, network, 1);
  const order = Uint32Array.from({ length: samples }, (_, i) => (7 * i) % samples);
  const stats = [7, 140].map((batch) => {
    const rule = { loss, optimizer, rateAt, batch, weightDecay: 0.001, frozen };
    const { lossSum, correct } = loaded.train(set, order, rule, state);
    return Float64Array.of(lossSum, correct);
  });
  const layers = loaded.weights().flatMap(({ weight, bias }) => [weight, bias]);
  const moments = state.moments.flatMap(({ weight, bias }) => [...weight, ...bias]);
  loaded.dispose();
  return digest([...stats, ...layers, ...moments]);
}

function normals(count: number): Float32Array {
  const { normal } = randomStream([2, 9], "data", 0);
  return Float32Array.from({ length: count }, normal);
}

/** NaN has many bit patterns, of which processors make different ones; here it is one. */
function digest(arrays: readonly FloatArray[]): string {
  const hash = createHash("sha256");
  for (const array of arrays) {
    const same = array.map((value) => (Number.isNaN(value) ? Number.NaN : value));
    hash.update(new Uint8Array(same.buffer, same.byteOffset, same.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const native = loadNative();
  if ("missing" in native) throw new Error(native.missing);
  stdout.write(`${JSON.stringify(resultDigests(native.engine))}\n`);
}
