/** Claim: a sweep of 10⁶ tasks is planned in under 10 s and 1 GB. `npm run bench:plan` */
import { performance } from "node:perf_hooks";
import { planSweep } from "../coordinator/plan/plan.ts";
import { wholeLoad } from "../coordinator/run/load.ts";
import { parseSweep } from "../coordinator/spec/parse-sweep.ts";
import { createEngine, resolveEngine } from "../worker/engines/registry.ts";

const SPECS = {
  "10⁶ trainings": "axes: {width: 1..100, depth: 1..10, seed: {count: 1000}}\nfield: none\n",
  "10⁶ tiles of 1 000 networks":
    "axes: {width: 1..10, depth: 1..10, seed: {count: 10}}\nfield: {points: 512, tile: 16}\n",
};

createEngine(resolveEngine("auto")); // loading code is not planning
for (const [name, spec] of Object.entries(SPECS)) {
  const start = performance.now();
  const parsed = parseSweep(spec, { file: "bench.yaml" });
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  const plan = planSweep(parsed.sweep, resolveEngine("auto"));
  const { trainings, tiles } = wholeLoad(plan);
  const seconds = (performance.now() - start) / 1000;
  const megabytes = process.resourceUsage().maxRSS / 1000;
  console.log(
    `${name}: ${trainings + tiles} tasks in ${seconds.toFixed(2)} s, peak ${megabytes.toFixed(0)} MB resident`,
  );
}
