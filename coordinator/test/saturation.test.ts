import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { saturatedPoints } from "../store/saturation.ts";

const POINTS = 20;
const grid = {
  region: { x: [-100, 100], y: [-100, 100] },
  points: POINTS,
  layers: "last",
} as const;

/** One hidden layer of neurons tanh(x) and tanh(y), whose slopes are known. */
const network: NetworkShape = {
  inputs: 2,
  hidden: [2],
  outputs: 1,
  activation: "tanh",
  outputActivation: "tanh",
};
const weights: Weights = [
  { weight: Float32Array.of(1, 0, 0, 1), bias: Float32Array.of(0, 0) },
  { weight: Float32Array.of(1, 1), bias: Float32Array.of(0) },
];

/** Exactly: ln of the larger slope, 1/cosh², without its underflow. */
function lambda1(): Float32Array {
  return Float32Array.from({ length: POINTS ** 2 }, (_, i) => {
    const at = (k: number) => -100 + (200 * (k + 0.5)) / POINTS;
    const b = Math.min(Math.abs(at(i % POINTS)), Math.abs(at(Math.floor(i / POINTS))));
    return Math.log(4) - 2 * b - 2 * Math.log1p(Math.exp(-2 * b));
  });
}

test("saturation: points at which every neuron of a layer is beyond |b| = 43.6 are counted", async () => {
  // Coordinates are ±5, ±15, …: beyond 43.6 are 45 … 95 on either side, for x and y.
  assert.equal(await saturatedPoints({ network, weights, grid, lambda1: lambda1() }), 12 * 12);
});

test("saturation: values computed in float32 are counted in the same way", async () => {
  const floor = Math.log(5.389947900034377e-38); // the native engine's, at one neuron of weight 1
  const clamped = lambda1().map((value) => Math.max(value, floor));
  assert.equal(await saturatedPoints({ network, weights, grid, lambda1: clamped }), 12 * 12);
});

test("saturation: small exponents alone do not count: many layers may shrink regularly", async () => {
  const deep: NetworkShape = { ...network, hidden: new Array<number>(60).fill(2) };
  const layers = deep.hidden.map(() => ({
    weight: Float32Array.of(0.1, 0, 0, 0.1),
    bias: Float32Array.of(0, 0),
  }));
  const shrinking = new Float32Array(POINTS ** 2).fill(Math.log(0.1)); // L·λ₁ = −138
  const all = { network: deep, weights: [...layers, weights[1]!], grid };
  assert.equal(await saturatedPoints({ ...all, lambda1: shrinking }), 0);
});

test("saturation: relu has no slopes that float32 cannot hold", async () => {
  const relu = { ...network, activation: "relu" } as const;
  assert.equal(await saturatedPoints({ network: relu, weights, grid, lambda1: lambda1() }), 0);
});
