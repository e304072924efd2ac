/** How far an engine's λ₁ is from the reference, over many networks. */
import { gridCoordinates } from "../../shared/numerics/grid.ts";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { TrainingRule } from "../../shared/numerics/training.ts";
import type { EngineName } from "../../worker/engines/registry.ts";
import { createEngine, resolveEngine } from "../../worker/engines/registry.ts";
import { float32Weights, HALF_WIDTH, samples, tanhNetwork } from "./cases.ts";
import { significant } from "./statistics.ts";
import { table } from "./table.ts";

export interface Accuracy {
  /** Which networks. */
  readonly shapes: string;
  readonly groups: readonly (Summary & { readonly name: string })[];
  readonly all: Summary;
}

interface Summary {
  readonly points: number;
  readonly median: number;
  /** Bounds for 99 % and 99.9 % of the points. */
  readonly p99: number;
  readonly p999: number;
  readonly worst: Worst;
  /** The largest change of the reference itself when the points' coordinates are rounded to float32. */
  readonly rounding: number;
  /** Points where only one of the two is finite. */
  readonly disagreements: number;
}

interface Worst {
  readonly difference: number;
  readonly where: string;
}

/** Networks of one kind. */
interface Group {
  readonly name: string;
  readonly gain: number;
  /** Epochs of training on the circle. */
  readonly epochs: number;
}

const GROUPS: readonly Group[] = [
  { name: "untrained, gain 0.25", gain: 0.25, epochs: 0 },
  { name: "untrained, gain 1", gain: 1, epochs: 0 },
  { name: "untrained, gain 4", gain: 4, epochs: 0 },
  { name: "untrained, gain 16", gain: 16, epochs: 0 },
  { name: "untrained, gain 100", gain: 100, epochs: 0 },
  { name: "trained, gain 1", gain: 1, epochs: 2 },
  { name: "trained, gain 4", gain: 4, epochs: 2 },
];

const WIDTHS = [2, 3, 8, 10, 17, 33, 50, 100];
const DEPTHS = [1, 2, 4, 8, 12, 24];

/** Compares random networks of all shapes, on the usual grids: float64 coordinates, the data's square. */
export function measureAccuracy(name: string, { quick }: { quick: boolean }): Accuracy {
  const widths = quick ? [2, 10, 50] : WIDTHS;
  const depths = quick ? [2, 8] : DEPTHS;
  const seeds = quick ? 1 : 3;
  const points = quick ? 8 : 16;
  const overall = collector();
  const groups = GROUPS.map((group) => {
    const own = collector();
    for (const width of widths) {
      for (const depth of depths) {
        for (let seed = 1; seed <= seeds; seed++) {
          compare(name, { group, width, depth, seed, points }, (found) => {
            own.add(found);
            overall.add(found);
          });
        }
      }
    }
    return { name: group.name, ...own.summary() };
  });
  const shapes = `N ∈ {${widths}}, L ∈ {${depths}}, ${seeds} seeds, ${points}² points each`;
  return { shapes, groups, all: overall.summary() };
}

interface Sample {
  readonly group: Group;
  readonly width: number;
  readonly depth: number;
  readonly seed: number;
  readonly points: number;
}

interface Found {
  readonly difference: number;
  /** What rounding the point's coordinates to float32 does to the reference itself. */
  readonly rounding: number;
  readonly where: () => string;
}

function compare(name: string, sample: Sample, found: (one: Found) => void): void {
  const { group, width, depth, seed, points } = sample;
  const network = tanhNetwork(width, depth);
  const weights = trained(name, network, sample);
  const axis = gridCoordinates([-HALF_WIDTH, HALF_WIDTH], points);
  const field = (engine: string, axis: Float64Array) => {
    const loaded = createEngine(resolveEngine(engine as EngineName)).load(network, weights);
    const { lambda1 } = loaded.field({ x: axis, y: axis, layers: "last" });
    loaded.dispose();
    return lambda1;
  };
  const exact = field("reference", axis);
  const rounded = field("reference", axis.map(Math.fround));
  const distance = (lambda1: number, i: number) =>
    Object.is(lambda1, exact[i]) ? 0 : Math.abs(lambda1 - exact[i]!);
  field(name, axis).forEach((lambda1, i) => {
    const where = () =>
      `${group.name}, N = ${width}, L = ${depth}, seed ${seed}, x = ${significant(axis[i % points]!)}, y = ${significant(axis[Math.floor(i / points)]!)}, λ₁ = ${significant(exact[i]!)}`;
    found({ difference: distance(lambda1, i), rounding: distance(rounded[i]!, i), where });
  });
}

function trained(name: string, network: NetworkShape, { group, seed }: Sample): Weights {
  const weights = float32Weights(network, group.gain, seed);
  if (group.epochs === 0) return weights;
  const loaded = createEngine(resolveEngine(name as EngineName)).load(network, weights);
  const rule: TrainingRule = {
    loss: "squared-error",
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
    batch: 128,
    weightDecay: 0,
    frozen: weights.map(() => false),
  };
  const { set, order } = samples();
  const state = createOptimizerState(rule.optimizer, network);
  for (let epoch = 0; epoch < group.epochs; epoch++) loaded.train(set, order, rule, state);
  const after = loaded.weights().map(({ weight, bias }) => ({
    weight: Float32Array.from(weight),
    bias: Float32Array.from(bias),
  }));
  loaded.dispose();
  return after;
}

function collector() {
  const differences: number[] = [];
  let worst: Worst = { difference: 0, where: "nowhere" };
  let largestRounding = 0;
  let disagreements = 0;
  return {
    add({ difference, rounding, where }: Found): void {
      largestRounding = Math.max(largestRounding, rounding);
      if (!Number.isFinite(difference)) disagreements++;
      else differences.push(difference);
      if (difference > worst.difference) worst = { difference, where: where() };
    },
    summary(): Summary {
      const sorted = Float64Array.from(differences).sort();
      const quantile = (p: number) => sorted[Math.floor(p * (sorted.length - 1))] ?? Number.NaN;
      const points = sorted.length + disagreements;
      return {
        points,
        median: quantile(0.5),
        p99: quantile(0.99),
        p999: quantile(0.999),
        worst,
        rounding: largestRounding,
        disagreements,
      };
    },
  };
}

export function accuracyReport(accuracy: Accuracy, engine: string): string {
  const groups = [...accuracy.groups, { name: "all", ...accuracy.all }];
  const rows = groups.map(({ name, points, worst, disagreements, ...rest }) => {
    const { median, p99, p999, rounding } = rest;
    const differences = [median, p99, p999, worst.difference, rounding];
    const shown = differences.map((difference) => significant(difference, 2));
    return [name, String(points), ...shown, worst.where, String(disagreements)];
  });
  const quantiles = ["median", "99 %", "99.9 %", "worst", "worst by rounding x, y alone"];
  const head = ["networks", "points", ...quantiles, "where the worst is", "finite in one only"];
  return `|λ₁(${engine}) − λ₁(reference)|, ${accuracy.shapes}:\n\n${table(head, rows)}`;
}
