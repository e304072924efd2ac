import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTask } from "../../shared/messages.ts";
import type { Plan } from "../plan/plan.ts";
import { fieldTask, plannedTile, planSweep, trainTask } from "../plan/plan.ts";
import { tileSide } from "../plan/tile-side.ts";
import { differences, nearestCell } from "../plan/why.ts";
import { wholeLoad } from "../run/load.ts";
import { parseSweep } from "../spec/parse-sweep.ts";

const SPEC = `
axes: {width: [5, 10], depth: [2, 3], seed: {count: 2}}
data: {name: circle, samples: 100}
training: {epochs: 2, snapshots: [0, end]}
field: {points: 64, tile: 32}
`;

function plan(text = SPEC, engine = "test.1"): Plan {
  const parsed = parseSweep(text, { file: "test.yaml" });
  assert.ok("sweep" in parsed, JSON.stringify(parsed));
  return planSweep(parsed.sweep, engine);
}

const CELL_IDS = ["39bed1aa4b9039b3", "8fea1ac98073b982"];

const ids = ({ cells }: Plan) => cells.map(({ id }) => id);
const setOf = (p: Plan) => new Set(ids(p));

test("plan: every combination is one cell with its own id", () => {
  assert.equal(setOf(plan()).size, 8);
});

test("plan: the same spec gives the same plan", () => {
  assert.deepEqual(plan(), plan());
});

test("plan: all of one seed comes before the next, the costly cells last except in the last seed", () => {
  const { cells } = plan();
  assert.deepEqual(
    cells.map(({ point: { seed, width, depth } }) => [seed, width, depth]),
    [
      [0, 5, 2],
      [0, 5, 3],
      [0, 10, 2],
      [0, 10, 3],
      [1, 10, 3],
      [1, 10, 2],
      [1, 5, 3],
      [1, 5, 2],
    ],
  );
});

test("plan: name, comments, tile size and constraints that exclude nothing do not change any id", () => {
  const same = [
    `# a comment\nname: other\n${SPEC}`,
    SPEC.replace("tile: 32", "tile: 16"),
    `${SPEC}where: width < 1000\n`,
  ];
  for (const text of same) assert.deepEqual(ids(plan(text)), ids(plan()));
});

test("plan: whatever changes a number changes every id", () => {
  const changed = [
    SPEC.replace("epochs: 2", "epochs: 3"),
    SPEC.replace("samples: 100", "samples: 110"),
    SPEC.replace("training: {", "training: {batch: 7, "),
    SPEC.replace("training: {", "training: {learningRate: 0.06, "),
    SPEC.replace("training: {", "training: {weightDecay: 0.001, "),
    SPEC.replace("training: {", "training: {freeze: hidden, "),
    SPEC.replace("[0, end]", "[0, 1, end]"),
    `${SPEC}network: {activation: relu}\n`,
    `${SPEC}network: {thresholdVariance: 0.25}\n`,
  ];
  for (const text of changed) {
    const before = setOf(plan());
    assert.ok(
      ids(plan(text)).every((id) => !before.has(id)),
      text,
    );
  }
  const before = setOf(plan());
  assert.ok(
    ids(plan(SPEC, "other.1")).every((id) => !before.has(id)),
    "engine",
  );
});

test("plan: a wider sweep keeps the ids of the cells that it shares", () => {
  const wider = setOf(plan(SPEC.replace("[5, 10]", "[5, 10, 20]")));
  assert.equal(wider.size, 12);
  for (const id of ids(plan())) assert.ok(wider.has(id));
});

test("plan: cell ids are as they have always been", () => {
  // Changing these makes every stored sweep recompute: only with a reason in docs/decisions.
  assert.deepEqual(ids(plan()).slice(0, 2), CELL_IDS);
});

test("plan: its tasks are valid messages with unique ids", () => {
  const p = plan();
  const [cell] = p.cells;
  assert.ok(cell);
  const origin = { snapshot: "end", weights: `sha256:${"0".repeat(64)}`, side: 32 } as const;
  const tasks = [
    trainTask(p, cell),
    ...[0, 1].flatMap((row) =>
      [0, 1].map((column) => fieldTask(p, cell, { ...origin, row, column })),
    ),
  ];
  assert.equal(new Set(tasks.map(({ id }) => id)).size, 5);
  for (const task of tasks) assert.deepEqual(parseTask(task), task);
  assert.deepEqual(
    tasks.slice(1).map((task) => task.kind === "field" && task.tile),
    [
      { column: 0, row: 0, columns: 32, rows: 32 },
      { column: 32, row: 0, columns: 32, rows: 32 },
      { column: 0, row: 32, columns: 32, rows: 32 },
      { column: 32, row: 32, columns: 32, rows: 32 },
    ],
  );
});

test("plan: the whole load counts trainings, tiles and work", () => {
  const { trainings, tiles, work } = wholeLoad(plan());
  assert.equal(trainings, 8);
  assert.equal(tiles, 8 * 2 * 4);
  // Σ over widths and depths of 2 seeds × 2 snapshots × 64² points × 3·(2·parameters + 40·neurons).
  const parameters = [5, 10].flatMap((N) =>
    [2, 3].map((L) => [3 * N + (L - 1) * N * (N + 1) + N + 1, N * L + 1]),
  );
  const expected =
    parameters.reduce((sum, [p, n]) => sum + 3 * (2 * p! + 40 * n!), 0) * 4 * 64 ** 2;
  assert.equal(work.field, expected);
});

test("tile side: divides the grid where a power of two does, and shrinks with the network's cost", () => {
  const network = (N: number, L: number) => ({
    inputs: 2,
    hidden: new Array<number>(L).fill(N),
    outputs: 1,
    activation: "tanh" as const,
    outputActivation: "tanh" as const,
  });
  assert.equal(tileSide(network(10, 2), { points: 512 }, 2e9), 512);
  assert.equal(tileSide(network(50, 8), { points: 512 }, 2e9), 64);
  assert.equal(tileSide(network(250, 12), { points: 512 }, 2e9), 16);
  assert.equal(tileSide(network(10, 2), { points: 96 }, 2e9), 32);
  assert.equal(tileSide(network(10, 2), { points: 100 }, 2e9), 64);
  assert.equal(tileSide(network(10, 2), { points: 8 }, 2e9), 16);
  assert.equal(plannedTile(plan().field!, network(250, 12)), 32);
});

test("why: names the fields that differ, nearest cell first", () => {
  const [here] = plan().cells;
  const longer = plan(SPEC.replace("epochs: 2", "epochs: 3")).cells;
  const stored = longer.map(({ id, physics }) => ({ cell: id, physics }));
  const nearest = nearestCell(here!.physics, stored);
  assert.equal(nearest?.cell, longer[0]?.id);
  assert.deepEqual(nearest?.differences, [{ path: "training.epochs", here: 2, there: 3 }]);
  assert.equal(nearestCell(here!.physics, []), null);
  assert.deepEqual(differences({ a: [1, 2] }, { a: [1, 2] }), []);
});
