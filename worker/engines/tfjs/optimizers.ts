import { integerPower } from "../../../shared/numerics/optimizers.ts";
import type { Optimizer } from "../../../shared/numerics/training.ts";
import type { LearnedPart } from "./learned.ts";
import type { Tensor, TensorFlow } from "./tensorflow.ts";

/** Parameters after a step along their gradient, with new moments. */
export type Update = (part: LearnedPart, gradient: Tensor) => LearnedPart;

/** Formulas and conventions as in `shared/numerics/optimizers.ts`; `step` counts from 1. */
export function updateRule(tf: TensorFlow, optimizer: Optimizer, step: number): Update {
  switch (optimizer.name) {
    case "sgd":
      return sgd(tf, optimizer);
    case "adam":
      return adam(tf, optimizer, step);
    case "rmsprop":
      return rmsprop(tf, optimizer);
  }
}

function sgd(tf: TensorFlow, { learningRate, momentum }: Optimizer & { name: "sgd" }): Update {
  return ({ values, moments: [velocity] }, g) => {
    const v = velocity === undefined ? g : tf.add(tf.mul(velocity, momentum), g);
    return {
      values: tf.sub(values, tf.mul(v, learningRate)),
      moments: velocity === undefined ? [] : [v],
    };
  };
}

/** The corrections of m and v by their weights' sums go into the rate and into √v's factor. */
function adam(tf: TensorFlow, optimizer: Optimizer & { name: "adam" }, step: number): Update {
  const { learningRate, beta1, beta2, epsilon } = optimizer;
  const rate = learningRate / (1 - integerPower(beta1, step));
  const factor = 1 / Math.sqrt(1 - integerPower(beta2, step));
  return ({ values, moments }, g) => {
    const m = tf.add(tf.mul(moments[0]!, beta1), tf.mul(g, 1 - beta1));
    const v = tf.add(tf.mul(moments[1]!, beta2), tf.mul(tf.square(g), 1 - beta2));
    const size = tf.add(tf.mul(tf.sqrt(v), factor), epsilon);
    return { values: tf.sub(values, tf.div(tf.mul(m, rate), size)), moments: [m, v] };
  };
}

function rmsprop(tf: TensorFlow, optimizer: Optimizer & { name: "rmsprop" }): Update {
  const { learningRate, decay, epsilon } = optimizer;
  return ({ values, moments }, g) => {
    const v = tf.add(tf.mul(moments[0]!, decay), tf.mul(tf.square(g), 1 - decay));
    const size = tf.add(tf.sqrt(v), epsilon);
    return { values: tf.sub(values, tf.div(tf.mul(g, learningRate), size)), moments: [v] };
  };
}
