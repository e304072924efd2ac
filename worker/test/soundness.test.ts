import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import { referenceEngine } from "../engines/reference.ts";
import { refuseUnsound } from "../soundness.ts";

test("soundness: an engine that is right is let through", () => {
  refuseUnsound(referenceEngine);
});

/** The reference engine, one of whose answers a broken machine has spoiled. */
function spoiled(spoil: (loaded: LoadedNetwork) => Partial<LoadedNetwork>): Engine {
  return {
    ...referenceEngine,
    load(network, weights, stop) {
      const loaded = referenceEngine.load(network, weights, stop);
      return { ...loaded, ...spoil(loaded) };
    },
  };
}

test("soundness: an engine whose exponents are off by 1 % is refused, with the check that says so", () => {
  const engine = spoiled((loaded) => ({
    exponents(inputs) {
      const { lambda1, lambda2 } = loaded.exponents(inputs);
      return { lambda1: lambda1.map((value) => value + 0.01), lambda2 };
    },
    field(tile) {
      const field = loaded.field(tile);
      return { ...field, lambda1: field.lambda1.map((value) => value + 0.01) };
    },
  }));
  assert.throws(() => refuseUnsound(engine), {
    name: "UnsoundEngineError",
    message: /reference-f64\.1 gives wrong results.*expected .* found /,
  });
});

test("soundness: an engine that gives NaN is refused", () => {
  const engine = spoiled((loaded) => ({
    exponents(inputs) {
      const { lambda1, lambda2 } = loaded.exponents(inputs);
      return { lambda1: lambda1.fill(Number.NaN), lambda2 };
    },
    field(tile) {
      const field = loaded.field(tile);
      return { ...field, lambda1: field.lambda1.fill(Number.NaN) };
    },
  }));
  assert.throws(() => refuseUnsound(engine), { name: "UnsoundEngineError" });
});
