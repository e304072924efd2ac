import type { Activation } from "../../../shared/numerics/network.ts";
import type { Tensor, TensorFlow } from "./tensorflow.ts";

/** g(b). */
export function activate(tf: TensorFlow, g: Activation, b: Tensor): Tensor {
  switch (g) {
    case "tanh":
      return tf.tanh(b);
    case "relu":
      return tf.relu(b);
    case "sigmoid":
      return tf.sigmoid(b);
    case "linear":
      return b;
  }
}

/**
 * Multiplies tensors by g'(b), elementwise.
 *
 * tanh' = 1/cosh² b = 4/(y + 1/y)² and sigmoid' = 1/(y + 1/y + 2) with y = exp(b): right within a few ulp
 * also where g saturates, which 1 − tanh² is not, and 0 where float32 has no such number, from |b| = 44.4
 * or 87 on. An infinite y gives 0. relu'(0) = 0.
 */
export function slopeFactor(tf: TensorFlow, g: Activation, b: Tensor): (t: Tensor) => Tensor {
  if (g === "linear") return (t) => t;
  if (g === "relu") {
    const slope = tf.sign(tf.relu(b));
    return (t) => tf.mul(t, slope);
  }
  const y = tf.exp(b);
  const sum = tf.add(y, tf.reciprocal(y));
  const inverse = g === "tanh" ? tf.square(tf.mul(sum, 0.5)) : tf.add(sum, 2);
  return (t) => tf.div(t, inverse);
}
