/** What the program writes, read by other programs. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fewOrAll } from "../../shared/testing/long.ts";
import { runPython, withoutPython } from "../../shared/testing/python.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import type { Ending } from "./support/ftle.ts";
import { ftle } from "./support/ftle.ts";

/** Differences of stored values to float64: of rounding to float32, and of another order of sums. */
const TOLERANCE = 1e-6;

const POINTS = 40; // not a multiple of the tile, so that there are edge chunks

const SWEEPS = {
  lattice: spec("last", ["width: [5, 10]", "depth: [2, 4]", "seed: {count: 2}"]),
  constrained: spec(
    "all",
    ["width: [4, 8]", "depth: [1, 3]", "seed: [3, 1]", "weightVariance: {logGain: [-0.5, 0]}"],
    "where: [depth == 1 or logGain == 0, seed == 1 or width == 4]",
  ),
  varied: spec("last", [
    ...["width: [4, 6]", "depth: 2", "training.batch: [20, 50]"],
    ...["training.optimizer: [sgd, adam]", "network.activation: [tanh, linear]"],
  ]),
  explicit: spec("all", ["hidden: [[6, 3], [4, 5, 4]]", "weightVariance: [0.1, 0.3]"]),
};
type Name = keyof typeof SWEEPS;

const NAMES = fewOrAll<readonly Name[]>(["constrained"], Object.keys(SWEEPS) as Name[]);

interface Outcome {
  readonly printed: string;
  /** The traceback; null if the script ended well. */
  readonly fault: string | null;
}

describe("Python", { skip: withoutPython }, () => {
  let folder: string;
  let outcomes: Record<string, Outcome>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ftle-python-"));
    const scripts = await Promise.all(NAMES.map(scriptsOf));
    outcomes = JSON.parse(await python("run_all", JSON.stringify(scripts.flat())));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a sweep and exports it; what Python should do with it. */
  async function scriptsOf(name: Name): Promise<string[][]> {
    const directory = join(folder, name);
    const spec = `${directory}.yaml`;
    await writeFile(spec, SWEEPS[name]);
    await done(ftle("run", spec, "--out", directory, "--no-plot", "--quiet"));
    const exported = async (format: string, ...options: string[]): Promise<string> => {
      const args = ["export", directory, "--format", format, "--json", ...options];
      return JSON.parse(await done(ftle(...args))).path;
    };
    const tables = [
      await exported("csv"),
      await exported("parquet"),
      await exported("csv", "--table", "points"),
      await exported("parquet", "--table", "points"),
    ];
    const layers = ["lattice", "varied"].includes(name) ? "last" : "all";
    return [
      [`fields ${name}`, "fields", directory, String(POINTS), layers],
      [`weights ${name}`, "weights", directory],
      [`tables ${name}`, "tables", ...tables, directory],
      [`lattice ${name}`, "lattice", await exported("zarr"), directory],
    ];
  }

  /** What a script has printed. */
  function printed(script: string, name: Name): string {
    const { printed, fault } = outcomes[`${script} ${name}`]!;
    assert.equal(fault, null);
    return printed;
  }

  for (const name of NAMES) {
    test(`zarr and xarray open every field of a sweep (${name})`, () => {
      printed("fields", name);
    });

    test(`numpy recomputes the stored fields from the stored weights (${name})`, (t) => {
      const { points, ...differences } = JSON.parse(printed("weights", name));
      t.diagnostic(`largest differences at ${points} points: ${JSON.stringify(differences)}`);
      assert.ok(points > 0);
      for (const [what, difference] of Object.entries(differences)) {
        assert.ok(Number(difference) < TOLERANCE, `${what} differs by ${difference}`);
      }
    });

    test(`pandas reads equal tables from CSV and Parquet (${name})`, () => {
      printed("tables", name);
    });

    test(`xarray opens the exported lattice and selects by name (${name})`, () => {
      const { sizes, empty } = JSON.parse(printed("lattice", name));
      assert.deepEqual({ sizes, empty }, EXPECTED[name]);
    });
  }
});

const GRID = { snapshot: 2, y: POINTS, x: POINTS };
const EXPECTED: Record<Name, { sizes: Record<string, number>; empty: number }> = {
  lattice: { sizes: { logGain: 1, seed: 2, width: 2, depth: 2, ...GRID }, empty: 0 },
  constrained: {
    sizes: { logGain: 2, seed: 2, width: 2, depth: 2, ...GRID, layer: 3 },
    empty: 7,
  },
  varied: {
    sizes: {
      ...{ logGain: 1, seed: 1, activation: 2, optimizer: 2, batch: 2 },
      ...{ width: 2, depth: 1, ...GRID },
    },
    empty: 0,
  },
  explicit: { sizes: { weightVariance: 2, seed: 1, hidden: 2, ...GRID, layer: 3 }, empty: 0 },
};

/** The reference engine's weights are float64, so that only the fields are rounded. */
function spec(layers: string, axes: readonly string[], where = ""): string {
  return [
    "axes:",
    ...axes.map((axis) => `  ${axis}`),
    where,
    "data: {name: circle, samples: 400}",
    "training: {epochs: 2, snapshots: [0, end]}",
    `field: {points: ${POINTS}, tile: 16, layers: ${layers}}`,
    "engine: reference",
    "",
  ].join("\n");
}

async function python(script: string, ...args: string[]): Promise<string> {
  return await runPython(repositoryFile(`cli/test/python/${script}.py`), ...args);
}

/** What a command printed. @throws AssertionError with what it said, if it failed. */
async function done(ending: Promise<Ending>): Promise<string> {
  const { code, stdout, stderr } = await ending;
  assert.equal(code, 0, stderr);
  return stdout;
}
