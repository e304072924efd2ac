import assert from "node:assert/strict";
import { test } from "node:test";
import type { TargetKind } from "../datasets/data-set.ts";
import { lossesFor, outputsFor, trainingSet } from "../datasets/targets.ts";
import { decisionOf, decisions } from "../numerics/decision.ts";
import type { NetworkShape } from "../numerics/network.ts";

const of = (...targets: number[]) => ({
  samples: targets.length,
  inputs: Float32Array.from(targets),
  targets: Float32Array.from(targets),
});

test("targets: what each loss makes of signs, two classes and three", () => {
  const sign = { kind: "sign" } as const;
  const two = { kind: "classes", count: 2 } as const;
  const three = { kind: "classes", count: 3 } as const;
  const cases = [
    [sign, "squared-error", of(-1, 1), [-1, 1]],
    [sign, "binary-cross-entropy", of(-1, 1), [0, 1]],
    [sign, "softmax-cross-entropy", of(-1, 1), [1, 0, 0, 1]],
    [two, "squared-error", of(0, 1), [-1, 1]],
    [two, "binary-cross-entropy", of(0, 1), [0, 1]],
    [two, "softmax-cross-entropy", of(1, 0), [0, 1, 1, 0]],
    [three, "squared-error", of(2, 0), [-1, -1, 1, 1, -1, -1]],
    [three, "softmax-cross-entropy", of(1, 2), [0, 1, 0, 0, 0, 1]],
  ] as const;
  for (const [kind, loss, set, expected] of cases) {
    assert.ok(lossesFor(kind).includes(loss));
    const made = trainingSet(set, kind, loss);
    assert.deepEqual([...made.targets], expected);
    assert.equal(made.targets.length, set.samples * outputsFor(kind, loss));
    assert.equal(made.inputs, set.inputs, "the inputs are shared");
  }
  assert.ok(!lossesFor(three).includes("binary-cross-entropy"));
});

test("targets: values are met by the squared error alone, as they are", () => {
  const values: TargetKind = { kind: "values", count: 2 };
  assert.deepEqual(lossesFor(values), ["squared-error"]);
  assert.equal(outputsFor(values, "squared-error"), 2);
  const set = { samples: 1, inputs: new Float32Array(1), targets: Float32Array.of(0.5, -3) };
  assert.equal(trainingSet(set, values, "squared-error"), set);
});

test("decisions: the sign tells two classes apart, the label more; NaN stays", () => {
  const shape = (outputs: number, outputActivation: NetworkShape["outputActivation"]) => {
    return { inputs: 2, hidden: [3], outputs, activation: "tanh", outputActivation } as const;
  };
  const decided = (network: NetworkShape, ...outputs: number[]) => [
    ...decisions(network, Float64Array.from(outputs)),
  ];
  assert.deepEqual(decided(shape(1, "tanh"), 0.25, -0.5), [0.25, -0.5]);
  assert.deepEqual(decided(shape(1, "sigmoid"), 0.75, 0.25), [0.25, -0.25]);
  assert.deepEqual(decided(shape(2, "linear"), 3, 1, 0, 0.5), [-2, 0.5]);
  const three = decided(shape(3, "linear"), 1, 3, 2, 5, 5, 0, 1, Number.NaN, 9);
  assert.deepEqual(three, [1, 0, Number.NaN]);
  assert.deepEqual(
    [1, 2, 3].map((n) => decisionOf(shape(n, "linear"))),
    ["sign", "sign", "label"],
  );
});
