import assert from "node:assert/strict";
import { test } from "node:test";
import { exactChecks } from "../../shared/numerics/exact-checks.ts";
import { referenceEngine } from "../engines/reference.ts";
import { createEngine, engines, resolveEngine } from "../engines/registry.ts";
import { engineContract } from "../testing/engine-contract.ts";

// Fields hold float32, whose rounding (6e-8) sets `stretching` and `output`; the rest is float64.
engineContract(referenceEngine, { stretching: 2e-7, output: 6e-8, gradient: 1e-12 });

for (const check of exactChecks) {
  test(`exact checks: ${check.name}`, () => {
    const { measured, expected, tolerance, ok } = check.run(referenceEngine);
    assert.ok(ok, `expected ${expected} ± ${tolerance}, got ${measured}`);
  });
}

test("engine registry: auto is one of the engines, and every id makes the engine of that id", () => {
  const ids: string[] = Object.values(engines).map(({ id }) => id);
  assert.ok(ids.includes(resolveEngine("auto")));
  assert.equal(resolveEngine("reference"), "reference-f64.1");
  for (const { id, load } of Object.values(engines)) {
    if ("engine" in load()) assert.equal(createEngine(id).id, id);
    else
      assert.throws(() => createEngine(id), { name: "InvalidTaskError", message: /is not here/ });
  }
});

test("engine registry: an unknown id is an invalid task", () => {
  assert.throws(() => createEngine("abacus-b10.1"), { name: "InvalidTaskError" });
});
