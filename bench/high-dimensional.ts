/**
 * Claims: one thread finds λ₁ at MNIST's test images at least twenty times as fast as JAX on one core by `vmap(jacrev)` and
 * singular values, N = 20, L = 16; a field over a plane costs the same in 784 inputs as in 20. Contestants take turns on one core.
 * `npm run bench:high-dimensional`; `npm run bench:high-dimensional -- MNIST-FOLDER ROUNDS`
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeWeights } from "../shared/safetensors.ts";
import { referenceEngine } from "../worker/engines/reference.ts";
import type { Command, Contestant } from "./engines/contestant.ts";
import { startContestant } from "./engines/contestant.ts";
import { nodeCommand } from "./engines/contestants.ts";
import { peersPython, pinnedCores, processor } from "./engines/machine.ts";
import { median, medianAndRange, ratios } from "./engines/statistics.ts";
import { table } from "./engines/table.ts";
import type { Case, SamplesCase } from "./high-dimensional/cases.ts";
import { mnistCase, ordinaryCase, planeCase } from "./high-dimensional/cases.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const [data = here("../../shared/data"), rounds = "7"] = process.argv.slice(2);
const MILLISECONDS = 500;
const GOAL = 20;
/** Between contestants in float32 and the reference. */
const TOLERANCE = 1e-4;

const cores = pinnedCores().one;
const folder = await mkdtemp(join(tmpdir(), "ftle-high-"));
try {
  const load = loadavg()[0]!.toFixed(1);
  console.log(
    `${processor()}, core ${cores}; ${rounds} rounds of ${MILLISECONDS} ms; load ${load}`,
  );
  console.log(`\n${await samplesReport(await mnistCase(folder, data))}`);
  console.log(`\n${await fieldsReport()}`);
} finally {
  await rm(folder, { recursive: true });
}

interface Entry extends Command {
  readonly given: Case;
}

interface Row {
  readonly name: string;
  readonly chosen: string;
  /** Of a unit, in each round. */
  readonly seconds: readonly number[];
}

async function samplesReport(given: SamplesCase): Promise<string> {
  const rows = await inTurns(
    [
      { ...native("native, one thread"), given },
      { ...jax("JAX, jacrev and svdvals", "svdvals"), given },
      { ...jax("JAX, jacrev and NumPy's SVD", "numpy"), given },
      { ...jax("JAX, first layer reduced by hand", "reduced"), given },
    ],
    expectedOf(given),
  );
  const first = rows[0]!.seconds;
  const body = rows.map(({ name, chosen, seconds }) => [
    name,
    medianAndRange(seconds.map((s) => 1 / s)),
    medianAndRange(ratios(seconds, first)),
    chosen,
  ]);
  const [, ...asWritten] = rows.slice(0, 3).map(({ seconds }) => ratios(seconds, first));
  const least = Math.min(...asWritten.map(median));
  const head = ["λ₁ at MNIST's test images", "images/s", "times as slow as native", "chosen"];
  return `${table(head, body)}\n\n- goal: at least ${GOAL} times as fast as the faster of the two with jacrev: ${least >= GOAL ? "met" : "not met"}`;
}

async function fieldsReport(): Promise<string> {
  const rows = await inTurns([
    { ...native("two inputs, ordinary"), given: ordinaryCase(folder) },
    { ...native("20 inputs, plane"), given: planeCase(folder, 20) },
    { ...native("784 inputs, plane"), given: planeCase(folder, 784) },
  ]);
  const [ordinary, few] = rows as [Row, Row];
  const body = rows.map(({ name, seconds }) => [
    name,
    medianAndRange(seconds.map((s) => 1e-3 / s)),
    medianAndRange(ratios(seconds, ordinary.seconds)),
    medianAndRange(ratios(seconds, few.seconds)),
  ]);
  const head = ["Field of 128², native, one thread", "10³ points/s", "× ordinary", "× 20 inputs"];
  return table(head, body);
}

/** Prepares and checks all, then lets them work one after another, round by round. */
async function inTurns(entries: readonly Entry[], expected?: readonly number[]): Promise<Row[]> {
  const started = entries.map((entry) => ({ entry, contestant: startContestant(entry, cores) }));
  try {
    const ready: { contestant: Contestant; chosen: string; seconds: number[] }[] = [];
    for (const { entry, contestant } of started) {
      const { check, chosen } = await contestant.prepare(entry.given);
      if (expected !== undefined) assertNear(entry.name, check, expected);
      await contestant.run(0); // the first time is slower than the others
      ready.push({ contestant, chosen, seconds: [] });
    }
    for (let round = 0; round < Number(rounds); round++) {
      for (const { contestant, seconds } of ready) {
        const timed = await contestant.run(MILLISECONDS);
        seconds.push(timed.seconds / timed.units);
      }
    }
    return ready.map(({ contestant: { name }, ...row }) => ({ name, ...row }));
  } finally {
    await Promise.all(started.map(({ contestant }) => contestant.stop()));
  }
}

function native(name: string): Command {
  return { name, command: nodeCommand("../high-dimensional/engine-child.ts", "native") };
}

/** The peers' Python, or the one of the tests, which has the same JAX. */
function jax(name: string, method: string): Command {
  const ofTests = here("../.venv/bin/python");
  const python = peersPython() ?? ofTests;
  if (!existsSync(python)) throw new Error("no JAX: npm run bench:peers, or test:python-env");
  return { name, command: [python, "-W", "ignore", here("./peers/jax_exponents.py"), method] };
}

/** λ₁ of the float64 definition. */
function expectedOf({ network, weights, inputs, checked }: SamplesCase): number[] {
  const loaded = referenceEngine.load(network, decodeWeights(readFileSync(weights)));
  const bytes = readFileSync(inputs).subarray(0, 4 * checked * network.inputs);
  const samples = new Float32Array(new Uint8Array(bytes).buffer);
  return [...loaded.exponents(samples).lambda1];
}

function assertNear(name: string, check: readonly number[], expected: readonly number[]): void {
  expected.forEach((value, i) => {
    if (Math.abs(check[i]! - value) < TOLERANCE) return;
    throw new Error(`${name}: λ₁ of sample ${i} is ${check[i]}, expected ${value}`);
  });
}
