import { checkLoss } from "../../../shared/numerics/loss-gradient.ts";
import type {
  OptimizerState,
  TrainingRule,
  TrainingSet,
  TrainingStats,
} from "../../../shared/numerics/training.ts";
import { checkSamples } from "../../../shared/numerics/training.ts";
import { forward, liftedGradients, lowered, outputDelta } from "./gradient.ts";
import { joined, type Learned, layersWith, learnedFrom, writeMoments } from "./learned.ts";
import { type LayerTensors, type TensorNetwork, tensorsOf, throwIfStopped } from "./network.ts";
import { updateRule } from "./optimizers.ts";
import type { Tensor } from "./tensorflow.ts";

export interface TrainingPass {
  readonly set: TrainingSet;
  readonly order: Uint32Array;
  readonly rule: TrainingRule;
  readonly state: OptimizerState;
}

/**
 * One pass over the samples of `order`: gives the layers after it, whose tensors are new where they learn,
 * and changes `state`. A pass that is stopped changes nothing.
 */
export function train(
  net: TensorNetwork,
  { set, order, rule, state }: TrainingPass,
): { readonly layers: readonly LayerTensors[]; readonly stats: TrainingStats } {
  checkLoss(rule.loss, net.shape);
  checkSamples(net.shape, set, order);
  const { tf } = net;
  const steps = Math.ceil(order.length / rule.batch);
  let lossSum = 0;
  let correct = 0;
  let now: Moment = { layers: net.layers, learned: learnedFrom(net, rule, state) };
  /** Goes on from `next` and disposes of what it has not taken over. */
  const goTo = (next: Moment) => {
    const kept = new Set([...allTensors(next), ...tensorsOf(net.layers)]);
    tf.dispose(allTensors(now).filter((tensor) => !kept.has(tensor)));
    now = next;
  };
  try {
    for (let step = 0; step < steps; step++) {
      throwIfStopped(net);
      const samples = order.subarray(step * rule.batch, (step + 1) * rule.batch);
      const next = tf.tidy(() => {
        const current = { ...net, layers: now.layers };
        const batch = forward(current, set, samples);
        const { loss, hits, delta } = outputDelta(current, batch, rule);
        lossSum += loss;
        correct += hits;
        if (now.learned.length === 0) return now;
        const gradients = liftedGradients(current, batch, { delta, frozen: rule.frozen });
        const update = updateRule(tf, rule, state.step + step);
        const learned = now.learned.map((part) => {
          const gradient = lowered(current, joined(tf, part.group, gradients));
          return { ...part, ...update(part, decayed(current, part, { gradient, rule })) };
        });
        return { learned, layers: layersWith(current, learned) };
      });
      goTo(next);
    }
    writeMoments(now.learned, state);
    state.step += steps;
    goTo({ layers: now.layers, learned: [] });
    return { layers: now.layers, stats: { lossSum, correct, samples: order.length } };
  } catch (error) {
    goTo({ layers: net.layers, learned: [] });
    throw error;
  }
}

/** A network between two batches. */
interface Moment {
  readonly layers: readonly LayerTensors[];
  readonly learned: readonly Learned[];
}

function allTensors({ layers, learned }: Moment): Tensor[] {
  return [...tensorsOf(layers), ...learned.flatMap(({ values, moments }) => [values, ...moments])];
}

/** Weights' gradient with their decay; biases have none. */
function decayed(
  { tf }: TensorNetwork,
  { group, values }: Learned,
  { gradient, rule }: { readonly gradient: Tensor; readonly rule: TrainingRule },
): Tensor {
  if (group.kind === "bias" || rule.weightDecay === 0) return gradient;
  return tf.add(gradient, tf.mul(values, rule.weightDecay));
}
