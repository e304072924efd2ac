import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { DataSet, Samples } from "../datasets/data-set.ts";
import { defaultOptions } from "../datasets/data-set.ts";
import { dataSets, makeDataSet } from "../datasets/registry.ts";
import { unitCircle } from "../datasets/turn.ts";
import { repositoryFile } from "../testing/repository.ts";

const SAMPLES = 8000;

function made(name: string, options: Record<string, number | boolean> = {}): Samples {
  const definition = dataSets[name] as DataSet;
  const all = { ...defaultOptions(definition), samples: SAMPLES, trainFraction: 0.999, ...options };
  return definition.make(all).train;
}

/** The inputs of each sample, with its class. */
function pointsOf({ samples, inputs, targets }: Samples): { at: number[]; k: number }[] {
  const width = inputs.length / samples;
  return Array.from({ length: samples }, (_, i) => {
    return { at: [...inputs.subarray(i * width, (i + 1) * width)], k: targets[i]! };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** As first made: the same on every machine and every version of this program and of Node. */
const DIGESTS: Readonly<Record<string, string>> = {
  circle: "sha256:12d9fb859cf7c956548f0527911349cfc98fdbfaa30209602805a49e2aa41f00",
  moons: "sha256:3230923cb560e922c6d4ee21c9ecff090acb0a1619b9fbf035c8d78eccda315f",
  spirals: "sha256:d8c7e5279f02f6760e8b581431575a1f0070441ea71015440d5ddb2447469321",
  rings: "sha256:1f89531d66aea70d5158fdec423817dc82a27b23dfcac6865efea8c255c3fdfa",
  checkerboard: "sha256:e27e1e56c4f255f24544e9d73edd43a35930c9ac076ae4a83d27352b372b7014",
  gaussians: "sha256:fd1dd3b578acef84c579b8a5a43583da4b50a0248dbabdcf12fba8e578ebb310",
};

for (const [name, definition] of Object.entries(dataSets)) {
  if (definition.source !== undefined || name === "none") continue;

  test(`${name}: made of its default options, its bytes never change`, () => {
    assert.equal(definition.name, name);
    const options = { ...defaultOptions(definition), samples: 1000 };
    const found = makeDataSet(name, options);
    assert.equal(found.digest, DIGESTS[name]);
    assert.deepEqual([found.train.samples, found.test.samples], [900, 100]);
    assert.notEqual(makeDataSet(name, { ...options, seed: 1 }).digest, found.digest);
  });

  test(`${name}: its points are in its region, but for the tails of the noise, and its classes are alike in number`, () => {
    const options = { ...defaultOptions(definition), samples: SAMPLES };
    const { x, y } = definition.region(options);
    const points = pointsOf(definition.make(options).train);
    const outside = points.filter(({ at: [a, b] }) => {
      return a! < x[0] || a! > x[1] || b! < y[0] || b! > y[1];
    });
    assert.ok(outside.length < 0.01 * points.length, `${outside.length} are outside`);
    const targets = definition.targets(options);
    const kinds = targets.kind === "sign" ? [-1, 1] : [0, 1];
    for (const kind of kinds) {
      const share = points.filter(({ k }) => k === kind).length / points.length;
      assert.ok(Math.abs(share - 0.5) < 4 * Math.sqrt(0.25 / points.length), `${share}`); // 4 σ
    }
  });
}

test("moons: without noise each point is on its half circle; standardised, the variances are 1", () => {
  for (const { at, k } of pointsOf(made("moons", { noise: 0, standardised: false }))) {
    const [x, y] = k === 0 ? at : at.map((value) => -value);
    assert.ok(Math.abs(Math.hypot(x! + 0.5, y! + 0.25) - 1) < 1e-6);
    assert.ok(y! + 0.25 > -1e-6);
  }
  const points = pointsOf(made("moons", { noise: 0.3 }));
  for (const axis of [0, 1]) {
    const values = points.map(({ at }) => at[axis]!);
    assert.ok(Math.abs(mean(values)) < 4 / Math.sqrt(values.length));
    const variance = mean(values.map((value) => value * value));
    assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / values.length), `${variance}`);
  }
});

test("spirals: without noise the angle of each point is that of its arm at its radius", () => {
  for (const {
    at: [x, y],
    k,
  } of pointsOf(made("spirals", { noise: 0, arms: 3, turns: 2 }))) {
    const r = Math.hypot(x!, y!);
    const [cos, sin] = unitCircle(k / 3 + 2 * r);
    assert.ok(Math.hypot(x! - r * cos, y! - r * sin) < 1e-5);
  }
});

test("rings: the radius of each point is within its ring, and uniform in area", () => {
  const points = pointsOf(made("rings", { classes: 4, gap: 0.5 }));
  for (const { at, k } of points) {
    const r = Math.hypot(...at);
    assert.ok(r > (k + 0.25) / 4 - 1e-6 && r < (k + 0.75) / 4 + 1e-6, `${r} in class ${k}`);
  }
  const outermost = points.filter(({ k }) => k === 3).map(({ at }) => Math.hypot(...at) ** 2);
  const [from, to] = [(3.25 / 4) ** 2, (3.75 / 4) ** 2];
  const error = (to - from) / Math.sqrt(12 * outermost.length);
  assert.ok(Math.abs(mean(outermost) - (from + to) / 2) < 4 * error);
});

test("checkerboard: neighbouring fields have different classes", () => {
  for (const { at, k } of pointsOf(made("checkerboard", { squares: 3, standardised: false }))) {
    const [row, column] = at.map((value) => (3 * (value + 1)) / 2);
    const isNearLine = [row!, column!].some((value) => Math.abs(value - Math.round(value)) < 1e-5);
    if (!isNearLine) assert.equal(k, (Math.floor(row!) + Math.floor(column!)) % 2);
  }
});

test("gaussians: each class has its mean and variance 1 in every dimension", () => {
  const points = pointsOf(made("gaussians", { dimensions: 5, classes: 3, distance: 2 }));
  for (const k of [0, 1, 2]) {
    const ofClass = points.filter((point) => point.k === k);
    const [x, y] = unitCircle(k / 3);
    for (const [axis, expected] of [2 * x, 2 * y, 0, 0, 0].entries()) {
      const values = ofClass.map(({ at }) => at[axis]! - expected);
      assert.ok(Math.abs(mean(values)) < 4 / Math.sqrt(values.length));
      const variance = mean(values.map((value) => value * value));
      assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / values.length));
    }
  }
});

test("unit circle: quarter turns are exact, and every point has radius 1 at its angle", () => {
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75, 1, -3.25].map(unitCircle),
    [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
      [1, 0],
      [0, -1],
    ].map(([x, y]) => [x! + 0, y! + 0]),
  );
  for (let t = -2; t < 2; t += 0.0137) {
    const [x, y] = unitCircle(t);
    assert.ok(Math.abs(x - Math.cos(2 * Math.PI * t)) < 1e-14);
    assert.ok(Math.abs(y - Math.sin(2 * Math.PI * t)) < 1e-14);
  }
});

test("adding a data set: the page shows the file that is in the tree", async () => {
  const page = await readFile(repositoryFile("docs/adding-a-data-set.md"), "utf8");
  const file = await readFile(repositoryFile("shared/datasets/rings.ts"), "utf8");
  assert.ok(page.includes(`\`\`\`ts\n${file}\`\`\``));
});
