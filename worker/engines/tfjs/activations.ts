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
 * tanh' = 1/cosh² b and sigmoid' = 1/(y + 1/y + 2), with cosh b = (y + 1/y)/2 and y = exp(b): right within a few
 * ulp also where g saturates, which 1 − tanh² is not, and 0 where float32 has no such number, from |b| = 44.4
 * or 87 on. An infinite y gives 0. relu'(0) = 0.
 *
 * `cosh` is one call for four, but not vectorised: good for few numbers. Its last bits are others.
 */
export function slopeFactor(
  tf: TensorFlow,
  g: Activation,
  b: Tensor,
  by: "exp" | "cosh" = "exp",
): (t: Tensor) => Tensor {
  switch (g) {
    case "tanh": {
      const inverse = tf.square(by === "cosh" ? tf.cosh(b) : tf.mul(doubleCosh(tf, b), 0.5));
      return (t) => tf.div(t, inverse);
    }
    case "relu": {
      const slope = tf.sign(tf.relu(b));
      return (t) => tf.mul(t, slope);
    }
    case "sigmoid": {
      const inverse = tf.add(doubleCosh(tf, b), 2);
      return (t) => tf.div(t, inverse);
    }
    case "linear":
      return (t) => t;
  }
}

function doubleCosh(tf: TensorFlow, b: Tensor): Tensor {
  const y = tf.exp(b);
  return tf.add(y, tf.reciprocal(y));
}
