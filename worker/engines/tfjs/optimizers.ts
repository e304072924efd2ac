import { integerPower } from "../../../shared/numerics/optimizers.ts";
import type { Optimizer, TrainingRule } from "../../../shared/numerics/training.ts";
import { learningRate } from "../../../shared/numerics/training.ts";
import type { Tensor, TensorFlow } from "./tensorflow.ts";

interface Parameters {
  readonly values: Tensor;
  readonly moments: readonly Tensor[];
}

/** Parameters after a step along their gradient, with new moments. */
export type Update = (before: Parameters, gradient: Tensor) => Parameters;

/** Formulas and conventions as in `shared/numerics/optimizers.ts`; `step` counts the updates done. Made within a `tidy`. */
export function updateRule(tf: TensorFlow, rule: TrainingRule, step: number): Update {
  const { optimizer } = rule;
  const rate = learningRate(rule, step);
  switch (optimizer.name) {
    case "sgd":
      return sgd(tf, optimizer, rate);
    case "adam":
      return adam(tf, optimizer, { rate, t: step + 1 });
    case "rmsprop":
      return rmsprop(tf, optimizer, rate);
  }
}

function sgd(
  tf: TensorFlow,
  { momentum }: Optimizer & { name: "sgd" },
  learningRate: number,
): Update {
  const [eta, mu] = [tf.scalar(learningRate), tf.scalar(momentum)];
  return ({ values, moments: [velocity] }, g) => {
    const v = velocity === undefined ? g : tf.add(tf.mul(velocity, mu), g);
    return {
      values: tf.sub(values, tf.mul(v, eta)),
      moments: velocity === undefined ? [] : [v],
    };
  };
}

/** The corrections of m and v by the sums of their weights are in the rate and in √v's factor. */
function adam(
  tf: TensorFlow,
  optimizer: Optimizer & { name: "adam" },
  { rate: learningRate, t }: { readonly rate: number; readonly t: number },
): Update {
  const { beta1, beta2 } = optimizer;
  const rate = tf.scalar(learningRate / (1 - integerPower(beta1, t)));
  const factor = tf.scalar(1 / Math.sqrt(1 - integerPower(beta2, t)));
  const [old1, new1] = [tf.scalar(beta1), tf.scalar(1 - beta1)];
  const [old2, new2] = [tf.scalar(beta2), tf.scalar(1 - beta2)];
  const epsilon = tf.scalar(optimizer.epsilon);
  return ({ values, moments }, g) => {
    const m = tf.add(tf.mul(moments[0]!, old1), tf.mul(g, new1));
    const v = tf.add(tf.mul(moments[1]!, old2), tf.mul(tf.square(g), new2));
    const size = tf.add(tf.mul(tf.sqrt(v), factor), epsilon);
    return { values: tf.sub(values, tf.div(tf.mul(m, rate), size)), moments: [m, v] };
  };
}

function rmsprop(
  tf: TensorFlow,
  optimizer: Optimizer & { name: "rmsprop" },
  learningRate: number,
): Update {
  const rate = tf.scalar(learningRate);
  const [old, fresh] = [tf.scalar(optimizer.decay), tf.scalar(1 - optimizer.decay)];
  const epsilon = tf.scalar(optimizer.epsilon);
  return ({ values, moments }, g) => {
    const v = tf.add(tf.mul(moments[0]!, old), tf.mul(tf.square(g), fresh));
    const size = tf.add(tf.sqrt(v), epsilon);
    return { values: tf.sub(values, tf.div(tf.mul(g, rate), size)), moments: [v] };
  };
}
