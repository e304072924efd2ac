import type { Float64Weights, FloatArray, NetworkShape } from "./network.ts";
import { layerWidths } from "./network.ts";
import type { Optimizer, OptimizerState, TrainingRule } from "./training.ts";
import { learningRate } from "./training.ts";

/** The state before the first step: all moments zero, in float64. */
export function createOptimizerState(optimizer: Optimizer, network: NetworkShape): OptimizerState {
  const widths = layerWidths(network);
  const count = momentCount(optimizer);
  const moments = (length: number) => Array.from({ length: count }, () => new Float64Array(length));
  return {
    step: 0,
    moments: widths
      .slice(1)
      .map((rows, below) => ({ weight: moments(rows * widths[below]!), bias: moments(rows) })),
  };
}

/**
 * One step: changes weights and state by the gradient of the batch's mean loss, and adds the weight decay to
 * `gradient`. Frozen layers and their moments stay as they are. Conventions as in PyTorch 2, except that
 * weight decay does not change the biases.
 */
export function optimizerStep(
  weights: Float64Weights,
  gradient: Float64Weights,
  rule: TrainingRule,
  state: OptimizerState,
): void {
  const rate = learningRate(rule, state.step);
  state.step++;
  const update = updateRule(rule.optimizer, { rate, step: state.step });
  weights.forEach(({ weight, bias }, l) => {
    if (rule.frozen[l]) return;
    const { weight: weightGradient, bias: biasGradient } = gradient[l]!;
    const moments = state.moments[l]!;
    if (rule.weightDecay !== 0) {
      for (let i = 0; i < weight.length; i++) {
        weightGradient[i] = weightGradient[i]! + rule.weightDecay * weight[i]!;
      }
    }
    update(weight, weightGradient, moments.weight);
    update(bias, biasGradient, moments.bias);
  });
}

/** Moves parameters w along their gradient g; `moments` are of the parameters' length. */
type Update = (w: Float64Array, g: Float64Array, moments: readonly FloatArray[]) => void;

/** One step: its learning rate η, and its number t from 1. */
interface Step {
  readonly rate: number;
  readonly step: number;
}

function updateRule(optimizer: Optimizer, step: Step): Update {
  switch (optimizer.name) {
    case "sgd":
      return sgd(optimizer, step);
    case "adam":
      return adam(optimizer, step);
    case "rmsprop":
      return rmsprop(optimizer, step);
  }
}

function momentCount(optimizer: Optimizer): number {
  switch (optimizer.name) {
    case "sgd":
      return optimizer.momentum === 0 ? 0 : 1;
    case "adam":
      return 2;
    case "rmsprop":
      return 1;
  }
}

/** v ← μ v + g, w ← w − η v. */
function sgd({ momentum }: Optimizer & { name: "sgd" }, { rate }: Step): Update {
  return (w, g, [velocity]) => {
    for (let i = 0; i < w.length; i++) {
      let v = g[i]!;
      if (velocity !== undefined) {
        v += momentum * velocity[i]!;
        velocity[i] = v;
      }
      w[i] = w[i]! - rate * v;
    }
  };
}

/**
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − η m̂/(√v̂ + ε) with m̂ = m/(1 − β₁ᵗ) and
 * v̂ = v/(1 − β₂ᵗ) at step t (Kingma & Ba, arXiv 1412.6980, Algorithm 1).
 */
function adam(
  { beta1, beta2, epsilon }: Optimizer & { name: "adam" },
  { rate, step: t }: Step,
): Update {
  const correction1 = 1 - integerPower(beta1, t);
  const correction2 = 1 - integerPower(beta2, t);
  return (w, g, [m, v]) => {
    for (let i = 0; i < w.length; i++) {
      m![i] = beta1 * m![i]! + (1 - beta1) * g[i]!;
      v![i] = beta2 * v![i]! + (1 - beta2) * (g[i]! * g[i]!);
      w[i] = w[i]! - (rate * (m![i]! / correction1)) / (Math.sqrt(v![i]! / correction2) + epsilon);
    }
  };
}

/** v ← α v + (1 − α) g², w ← w − η g/(√v + ε). */
function rmsprop({ decay, epsilon }: Optimizer & { name: "rmsprop" }, { rate }: Step): Update {
  return (w, g, [v]) => {
    for (let i = 0; i < w.length; i++) {
      v![i] = decay * v![i]! + (1 - decay) * (g[i]! * g[i]!);
      w[i] = w[i]! - (rate * g[i]!) / (Math.sqrt(v![i]!) + epsilon);
    }
  };
}

/** baseⁿ by squaring, n ≥ 0: `**` may differ in its last bit between V8 versions. */
export function integerPower(base: number, n: number): number {
  let power = 1;
  for (let square = base, rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
