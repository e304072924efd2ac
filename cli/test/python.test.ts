/** What the program writes, read by other people's programs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runPython, withoutPython } from "../../shared/testing/python.ts";

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
  explicit: spec("all", ["hidden: [[6, 3], [4, 5, 4]]", "weightVariance: [0.1, 0.3]"]),
};
type Name = keyof typeof SWEEPS;

describe("Python", { skip: withoutPython, concurrency: true }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ftle-python-"));
    await Promise.all(
      Object.entries(SWEEPS).map(async ([name, text]) => {
        await writeFile(join(folder, `${name}.yaml`), text);
        await ftle("run", join(folder, `${name}.yaml`), "--out", join(folder, name), "--no-plot");
      }),
    );
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function exported(name: Name, format: string, ...options: string[]): Promise<string> {
    const { path } = JSON.parse(
      await ftle("export", join(folder, name), "--format", format, "--json", ...options),
    );
    return path;
  }

  for (const name of Object.keys(SWEEPS) as Name[]) {
    test(`zarr and xarray open every field of a sweep (${name})`, async () => {
      const layers = name === "lattice" ? "last" : "all";
      await python("fields", join(folder, name), String(POINTS), layers);
    });

    test(`numpy computes the stored fields anew from the stored weights (${name})`, async (t) => {
      const output = await python("weights", join(folder, name));
      const { points, ...differences } = JSON.parse(output);
      t.diagnostic(`largest differences at ${points} points: ${JSON.stringify(differences)}`);
      assert.ok(points > 0);
      for (const [what, difference] of Object.entries(differences)) {
        assert.ok(Number(difference) < TOLERANCE, `${what} differs by ${difference}`);
      }
    });

    test(`pandas reads equal tables from CSV and Parquet (${name})`, async () => {
      const paths = await Promise.all([
        exported(name, "csv"),
        exported(name, "parquet"),
        exported(name, "csv", "--table", "points"),
        exported(name, "parquet", "--table", "points"),
      ]);
      await python("tables", ...paths, join(folder, name));
    });

    test(`xarray opens the exported lattice and selects by name (${name})`, async () => {
      const path = await exported(name, "zarr");
      const { sizes, empty } = JSON.parse(await python("lattice", path, join(folder, name)));
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
  explicit: { sizes: { weightVariance: 2, seed: 1, hidden: 2, ...GRID, layer: 3 }, empty: 0 },
};

/** The reference engine's weights are float64, so that only the fields are rounded. */
function spec(layers: string, axes: readonly string[], where = ""): string {
  return [
    "axes:",
    ...axes.map((axis) => `  ${axis}`),
    where,
    "data: {name: circle, samples: 400}",
    "training: {epochs: 2, batch: 20, snapshots: [0, end]}",
    `field: {points: ${POINTS}, tile: 16, layers: ${layers}}`,
    "engine: reference",
    "",
  ].join("\n");
}

async function python(script: string, ...args: string[]): Promise<string> {
  return await runPython(new URL(`python/${script}.py`, import.meta.url), ...args);
}

async function ftle(...args: string[]): Promise<string> {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--import",
    "tsx",
    main,
    ...args,
  ]);
  return stdout;
}
