import assert from "node:assert/strict";
import { test } from "node:test";
import { withAnalysis } from "../spec/add-analysis.ts";
import { parseSweep } from "../spec/parse-sweep.ts";

test("added analysis: the sweep keeps the name of its file, the engine it was given and its comments", () => {
  const source = "axes: {width: 4, depth: 2} # small\nanalyses: [weights]\n";
  const parsed = parseSweep(source, { file: "fig.v2.yaml" });
  assert.ok("sweep" in parsed, JSON.stringify(parsed));
  const sweep = { ...parsed.sweep, engine: "tfjs" as const };
  const added = withAnalysis({ sweep, source }, { name: "margin", options: {} });
  assert.equal(added.sweep.name, "fig.v2");
  assert.equal(added.sweep.engine, "tfjs");
  assert.deepEqual(
    added.sweep.analyses?.map(({ name }) => name),
    ["weights", "margin"],
  );
  assert.equal(added.source, "axes: {width: 4, depth: 2} # small\nanalyses: [weights, margin]\n");
});
