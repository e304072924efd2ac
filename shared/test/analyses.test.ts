import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type {
  Analysis,
  EngineNetwork,
  FieldSubject,
  Findings,
  SamplesSubject,
} from "../analyses/analysis.ts";
import { packed } from "../analyses/pack.ts";
import { analyses, analysisId, defaultsOf } from "../analyses/registry.ts";
import type { OptionValues } from "../datasets/data-set.ts";
import { activations } from "../numerics/forward.ts";
import { initialWeights } from "../numerics/initialise.ts";
import type { NetworkShape, Weights } from "../numerics/network.ts";
import { float64Weights } from "../numerics/network.ts";
import { correlation, distribution, quantile, rankCorrelation, ranks } from "../numerics/ranks.ts";
import { lyapunovSpectrum } from "../numerics/spectrum.ts";
import { repositoryFile } from "../testing/repository.ts";

const LINEAR: NetworkShape = {
  inputs: 2,
  hidden: [2],
  outputs: 1,
  activation: "linear",
  outputActivation: "linear",
};

/** The network in float64, as an engine. */
function engineOf(network: NetworkShape, given: Weights): EngineNetwork {
  const weights = float64Weights(network, given);
  const spectrum = lyapunovSpectrum(network, weights);
  return {
    callWork: 100, // several blocks
    outputs: (inputs) => activations(network, weights, inputs),
    activations: (inputs, layer) => activations(network, weights, inputs, layer),
    exponents(inputs) {
      const points = inputs.length / network.inputs;
      const at = (i: number) => inputs.subarray(i * network.inputs, (i + 1) * network.inputs);
      const found = Array.from({ length: points }, (_, i) => spectrum(Float64Array.from(at(i))));
      return {
        lambda1: Float64Array.from(found, (one) => one[0]!),
        lambda2: Float64Array.from(found, (one) => one[1] ?? Number.NEGATIVE_INFINITY),
      };
    },
  };
}

/** What `compute` gets; the same samples train and test. */
function subjectOf(
  network: NetworkShape,
  weights: Weights,
  { inputs, targets }: { inputs: readonly number[]; targets: readonly number[] },
): SamplesSubject {
  const set = {
    samples: inputs.length / network.inputs,
    inputs: Float32Array.from(inputs),
    targets: Float32Array.from(targets),
  };
  return {
    network,
    weights,
    engine: engineOf(network, weights),
    progress() {},
    train: set,
    test: set,
    loss: "squared-error",
    targets: { kind: "sign" },
  };
}

/** Its findings, checked to be what it describes. */
function findingsOf(name: string, subject: unknown, options: OptionValues = {}): Findings {
  const analysis = analyses[name] as Analysis & {
    compute(subject: unknown, options: OptionValues): Findings;
  };
  const found = analysis.compute(subject, { ...defaultsOf(analysis), ...options });
  packed(analysis, found);
  return found;
}

function random(network: NetworkShape): Weights {
  return initialWeights(network, { weightVariance: 0.4, thresholdVariance: 0.1 }, [5, 6]);
}

for (const [name, analysis] of Object.entries(analyses)) {
  test(`${name}: what it says of itself is complete, and its id follows from its options`, () => {
    assert.equal(analysis.name, name);
    assert.match(name, /^[a-z]\w*$/i);
    assert.match(analysis.doc, /\.$/);
    const names = [...analysis.columns, ...analysis.arrays].map((one) => one.name);
    assert.ok(
      names.every((one) => /^[a-z]\w*$/i.test(one)),
      names.join(),
    );
    const columns = analysis.columns.map((one) => one.name);
    assert.equal(new Set(columns).size, columns.length);
    const ref = { name, version: analysis.version, options: defaultsOf(analysis) };
    assert.match(analysisId(ref, null), /^[0-9a-f]{8}$/);
    assert.notEqual(analysisId(ref, null), analysisId({ ...ref, version: 99 }, null));
    assert.notEqual(analysisId(ref, null), analysisId(ref, "00000000"));
    const network = { ...LINEAR, hidden: [5, 5] };
    const size = { network, samples: { train: 10, test: 10 }, points: 16 };
    assert.ok(analysis.work(size, ref.options) >= 0, "work");
  });
}

test("exponents: of a linear network they are the logarithms of its singular values, at every sample", () => {
  const weights = [
    { weight: Float64Array.of(3, 0, 0, 0.5), bias: Float64Array.of(0, 0) },
    { weight: Float64Array.of(1, 0), bias: Float64Array.of(0) },
  ];
  const inputs = [1, 0, -2, 1, 0.5, 3];
  const subject = subjectOf(LINEAR, weights, { inputs, targets: [1, -1, 1] });
  const { columns, arrays } = findingsOf("exponents", subject);
  const { shape, values } = arrays.lambda!;
  assert.deepEqual(shape, [3, 2]);
  const expected = [Math.log(3), Math.log(0.5)].map(Math.fround);
  assert.deepEqual([...values], [...expected, ...expected, ...expected]);
  assert.ok(Math.abs(columns.mean! - Math.log(3)) < 1e-6, String(columns.mean));
  assert.equal(columns.lossCorrelation, Number.NaN); // λ₁ does not vary
});

test("exponents: more than two are those of the whole spectrum, and one is the first", () => {
  const network = { ...LINEAR, inputs: 4, hidden: [6, 5], activation: "tanh" } as const;
  const inputs = Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const subject = subjectOf(network, random(network), { inputs, targets: [1, -1, 1] });
  const two = findingsOf("exponents", subject).arrays.lambda!;
  const all = findingsOf("exponents", subject, { count: 100 }).arrays.lambda!;
  const one = findingsOf("exponents", subject, { count: 1 }).arrays.lambda!;
  assert.deepEqual(
    [all.shape, two.shape, one.shape],
    [
      [3, 4],
      [3, 2],
      [3, 1],
    ],
  );
  for (let s = 0; s < 3; s++) {
    assert.equal(one.values[s], all.values[4 * s]);
    assert.equal(two.values[2 * s + 1], all.values[4 * s + 1]);
    const row = [...all.values.subarray(4 * s, 4 * s + 4)];
    assert.deepEqual(
      row,
      [...row].sort((a, b) => b - a),
    );
  }
});

test("exponents: correlations are 1 where λ₁ and loss rise together", () => {
  // One neuron: the slope sech² and the error 1 − tanh both fall with x.
  const network = { ...LINEAR, inputs: 1, hidden: [1], activation: "tanh" } as const;
  const one = { weight: Float64Array.of(1), bias: Float64Array.of(0) };
  const subject = subjectOf(network, [one, one], {
    inputs: [0.1, 0.5, 1, 2],
    targets: [1, 1, 1, 1],
  });
  const { columns } = findingsOf("exponents", subject);
  assert.equal(columns.lossCorrelation, 1);
  assert.equal(columns.marginCorrelation, -1);
});

test("predictions: softmax, loss and correctness of each sample are those of the formulas", () => {
  const network = { ...LINEAR, outputs: 2 };
  const identity = { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(0, 0) };
  const given = { inputs: [2, 0, 0, 1], targets: [1, 0, 1, 0] };
  const subject = {
    ...subjectOf(network, [identity, identity], given),
    loss: "softmax-cross-entropy",
    targets: { kind: "classes", count: 2 },
  };
  const { columns, arrays } = findingsOf("predictions", subject);
  const p = Math.exp(2) / (Math.exp(2) + 1);
  const q = 1 / (1 + Math.E);
  const expected = [p, 1 - p, q, 1 - q];
  arrays.output!.values.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < 1e-7, `${value} for ${expected[i]}`);
  });
  assert.deepEqual([...arrays.correct!.values], [1, 0]);
  assert.equal(columns.accuracy, 0.5);
  assert.ok(Math.abs(columns.loss! + (Math.log(p) + Math.log(q)) / 2) < 1e-12, "loss");
});

test("ensemble: networks that agree have no disagreement, and those that contradict each other ln 2", () => {
  const member = (...values: number[]) => ({
    output: { shape: [values.length / 2, 2], values: Float32Array.from(values) },
  });
  const network = { ...LINEAR, outputs: 2 };
  const alike = findingsOf("ensemble", { network, members: [member(1, 0), member(1, 0)] });
  assert.equal(alike.columns.entropy, 0);
  assert.equal(alike.columns.disagreement, 0);
  assert.equal(alike.columns.members, 2);
  const unlike = findingsOf("ensemble", { network, members: [member(1, 0), member(0, 1)] });
  assert.ok(Math.abs(unlike.columns.entropy! - Math.LN2) < 1e-7, String(unlike.columns.entropy));
  assert.equal(unlike.columns.disagreement, 0.5);
});

test("ensemble: outputs that are no probabilities have no entropy", () => {
  const member = (value: number) => ({ output: { shape: [1, 1], values: Float32Array.of(value) } });
  const entropyOf = (value: number) =>
    findingsOf("ensemble", { network: LINEAR, members: [member(value)] }).columns.entropy;
  assert.equal(entropyOf(1.5), Number.NaN);
  assert.ok(Math.abs(entropyOf(0)! - Math.LN2) < 1e-7, "of two equal probabilities");
});

test("weights: a layer of zeros has no effective rank", () => {
  const zero = { weight: new Float64Array(4), bias: new Float64Array(2) };
  const out = { weight: Float64Array.of(1, 0), bias: Float64Array.of(0) };
  const subject = subjectOf(LINEAR, [zero, out], { inputs: [], targets: [] });
  const ranks = findingsOf("weights", subject).arrays.effectiveRank!.values;
  assert.deepEqual([...ranks], [Number.NaN, 1]);
});

for (const norm of ["l2", "linf"]) {
  test(`margin: the ${norm} distance to a plane is that of the formula`, () => {
    const weights = [
      { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(0, 0) },
      { weight: Float64Array.of(3, 4), bias: Float64Array.of(-1) },
    ];
    const inputs = [1, 1, -1, 0.5, 0.2, 0.1];
    const subject = subjectOf(LINEAR, weights, { inputs, targets: [1, -1, 1] });
    const { columns, arrays } = findingsOf("margin", subject, { norm });
    const size = norm === "l2" ? 5 : 7; // of (3, 4): Euclidean, or of the dual norm
    arrays.distance!.values.forEach((distance, s) => {
      const expected = Math.abs(3 * inputs[2 * s]! + 4 * inputs[2 * s + 1]! - 1) / size;
      assert.ok(Math.abs(distance - expected) < 1e-5, `${distance} for ${expected}`);
    });
    assert.equal(columns.found, 1);
  });
}

test("margin: a network that decides the same everywhere has none", () => {
  const weights = [
    { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(0, 0) },
    { weight: Float64Array.of(0, 0), bias: Float64Array.of(1) },
  ];
  const subject = subjectOf(LINEAR, weights, { inputs: [1, 1], targets: [1] });
  const { columns } = findingsOf("margin", subject);
  assert.equal(columns.found, 0);
  assert.equal(columns.mean, Number.NaN);
});

test("weights: norms and effective ranks are those of matrices with known singular values", () => {
  const network = { ...LINEAR, hidden: [2, 2] };
  const weights = [
    { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(3, 0) },
    { weight: Float64Array.of(0, 2, 2, 0), bias: Float64Array.of(0, 4) },
    { weight: Float64Array.of(3, 4), bias: Float64Array.of(0) },
  ];
  const { columns, arrays } = findingsOf(
    "weights",
    subjectOf(network, weights, { inputs: [], targets: [] }),
  );
  assert.deepEqual([...arrays.singularValues!.values], [1, 1, 2, 2, 5, Number.NaN]);
  assert.deepEqual([...arrays.effectiveRank!.values], [2, 2, 1]);
  assert.ok(Math.abs(columns.norm! - Math.sqrt(2 + 8 + 25)) < 1e-6, String(columns.norm));
  assert.equal(columns.thresholdNorm, 5);
  assert.equal(columns.spectralNorm, 5);
  assert.equal(columns.effectiveRank, 2);
});

function fieldOf(
  points: number,
  layers: readonly ((x: number, y: number) => number)[],
): FieldSubject {
  const at = (i: number) => (2 * (i + 0.5)) / points - 1;
  const array = (value: (x: number, y: number) => number) =>
    Float32Array.from({ length: points ** 2 }, (_, i) =>
      value(at(i % points), at(Math.floor(i / points))),
    );
  const lambda1 = new Float32Array(layers.length * points ** 2);
  for (const [l, value] of layers.entries()) lambda1.set(array(value), l * points ** 2);
  const direction = new Float32Array(lambda1.length);
  const angle = (x: number, y: number) => Math.atan(y / x);
  for (const l of layers.keys()) direction.set(array(angle), l * points ** 2);
  const grid = { region: { x: [-1, 1], y: [-1, 1] }, points, layers: "all" } as const;
  const output = array((x, y) => Math.hypot(x, y) - 0.65);
  const hidden = layers.map(() => 2);
  return {
    network: { ...LINEAR, hidden },
    targets: "sign",
    weights: [],
    grid,
    lambda1,
    direction,
    output,
  };
}

test("layers: each layer has its own mean and spread", () => {
  const { columns, arrays } = findingsOf("layers", fieldOf(8, [() => 2, (x) => Math.sign(x)]));
  assert.deepEqual([...arrays.mean!.values], [2, 0]);
  assert.deepEqual([...arrays.std!.values], [0, 1]);
  assert.deepEqual(columns, { first: 2, last: 0, lastStd: 1 });
});

test("ridges: a ring is one closed line in units of the inputs, at its distance from the decision boundary", () => {
  const ring = (x: number, y: number) => Math.exp(-((Math.hypot(x, y) - 0.6) ** 2) / 0.005);
  const { columns, arrays } = findingsOf("ridges", fieldOf(128, [() => 0, ring]));
  assert.equal(columns.lines, 1);
  assert.equal(columns.endpoints, 0);
  assert.ok(Math.abs(columns.length! / (1.2 * Math.PI) - 1) < 0.001, `length ${columns.length}`);
  assert.ok(Math.abs(columns.boundaryDistance! - 0.05) < 0.001, `${columns.boundaryDistance}`);
  assert.ok(columns.boundaryAlignment! > 0.999, `alignment ${columns.boundaryAlignment}`);
  assert.ok(columns.normalAlignment! > 0.999, `normal ${columns.normalAlignment}`);
  const ofValues = findingsOf("ridges", { ...fieldOf(128, [() => 0, ring]), targets: "values" });
  assert.equal(ofValues.columns.boundaryDistance, Number.NaN); // nothing is decided
  const { shape, values } = arrays.vertices!;
  for (let i = 0; i < shape[0]!; i++) {
    const radius = Math.hypot(values[2 * i]!, values[2 * i + 1]!);
    assert.ok(Math.abs(radius - 0.6) < 0.02 * (2 / 128), `radius ${radius}`);
  }
});

test("ranks: equal values share their mean rank, and correlation is that of the ranks", () => {
  assert.deepEqual([...ranks([10, 30, 20, 20])], [1, 4, 2.5, 2.5]);
  assert.equal(rankCorrelation([1, 2, 3], [1, 8, 27]), 1);
  assert.equal(rankCorrelation([1, 2, 3, 4], [4, 3, Number.NaN, 1]), -1);
  assert.equal(rankCorrelation([1, 2], [5, 5]), Number.NaN);
  // Spearman's formula without ties: 1 − 6 Σd²/(n(n² − 1)).
  assert.ok(Math.abs(rankCorrelation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) - 0.8) < 1e-12, "ρ");
  assert.equal(correlation(Float64Array.of(1, 2), Float64Array.of(2, 4)), 1);
});

test("ranks: quantiles lie linearly between values", () => {
  assert.equal(quantile(Float64Array.of(0, 10), 0.25), 2.5);
  assert.equal(quantile(Float64Array.of(), 0.5), Number.NaN);
  const { count, mean, std, median } = distribution([1, 3, Number.NaN, 5, 7]);
  assert.deepEqual([count, mean, median], [4, 4, 4]);
  assert.ok(Math.abs(std - Math.sqrt(5)) < 1e-12, String(std));
});

test("adding an analysis: the page shows the file that is in the tree", async () => {
  const page = await readFile(repositoryFile("docs/adding-an-analysis.md"), "utf8");
  const file = await readFile(repositoryFile("shared/analyses/predictions.ts"), "utf8");
  assert.ok(page.includes(`\`\`\`ts\n${file}\`\`\``), "the page shows another file");
});
