import type { Command } from "commander";
import type { Cell, Plan } from "../../coordinator/plan/plan.ts";
import type { Nearest } from "../../coordinator/plan/why.ts";
import { nearestCell } from "../../coordinator/plan/why.ts";
import { isValue } from "../../coordinator/results/picture-axes.ts";
import { axisNamed, axisNames } from "../../coordinator/spec/axis-names.ts";
import type { LatticePoint } from "../../coordinator/spec/enumerate.ts";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { UsageError } from "../../shared/errors.ts";
import { loadStored, planFor } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { cellName, counted } from "../terminal/format.ts";
import { createOutput } from "../terminal/output.ts";

interface WhyFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly spec?: string;
  readonly data?: string;
}

export function whyCommand(): Command {
  return command("why", [
    "why sweeps/fig2 3fa2c1",
    "why sweeps/fig2 width=50,depth=8,seed=1",
    "why sweeps/fig2 width=100,depth=8 --spec wider.yaml    # of a spec not yet run there",
  ])
    .argument("<dir>", "the sweep's directory")
    .argument("<cell>", "a cell's id or the beginning of it, or axis=value,…")
    .option("--data <dir>", "where the files of the data set are, if not where the spec says")
    .option("--spec <file>", "take the cell from this spec rather than from the directory's own")
    .action(async (directory: string, asked: string, flags: WhyFlags) => {
      const output = createOutput(flags);
      const stored = await loadStored(directory);
      const plan =
        flags.spec === undefined ? stored.plan : await planOf(directory, flags.spec, flags);
      const cell = findCell(plan, asked);
      const records = [];
      for await (const record of readRecords(directory)) records.push(record);
      const nearest = nearestCell(cell.physics, records);
      const value = { cell: cell.id, point: cell.point, nearest };
      output.result(explain(cell, nearest), value);
    });
}

async function planOf(directory: string, file: string, { data }: WhyFlags): Promise<Plan> {
  return (await planFor(directory, await readSweep(file, { moved: data }))).plan;
}

function explain({ id, point }: Cell, nearest: Nearest | null): string {
  const name = `${id} (${cellName(point)})`;
  if (nearest === null) return `${name} must be computed: no cell is stored here`;
  const [first, ...others] = nearest.differences;
  if (first === undefined) return `${name} is stored`;
  if (first.path === "data.digest") {
    const [now, then] = [first.here, first.there].map((digest) => String(digest).slice(7, 19));
    return `${name} must be computed: the data set is another one than that of the nearest stored cell ${nearest.cell} (content ${now}…, there ${then}…)`;
  }
  const here = JSON.stringify(first.here);
  const there = JSON.stringify(first.there);
  const more = others.length === 0 ? "" : `, and ${counted(others.length, "further difference")}`;
  return `${name} must be computed: the nearest stored cell ${nearest.cell} has ${first.path} ${there}, this one ${here}${more}`;
}

function findCell(plan: Plan, asked: string): Cell {
  const { cells } = plan;
  const found = asked.includes("=")
    ? cells.filter(matcher(asked, plan))
    : cells.filter(({ id }) => id.startsWith(asked));
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new UsageError(`expected a cell of the sweep, found none for ${asked}`);
  const some = found.slice(0, 5).map(({ id, point }) => `${id} (${cellName(point)})`);
  throw new UsageError(
    `expected one cell, found ${found.length} for ${asked}: ${some.join(", ")}${found.length > 5 ? ", …" : ""}`,
  );
}

const NUMBERS = ["width", "depth", "weightVariance", "logGain", "seed"] as const;

function matcher(asked: string, { cells }: Plan): (cell: Cell) => boolean {
  const paths = Object.keys(cells[0]?.point.parameters ?? {});
  const known = [...NUMBERS, "hidden", ...axisNames(paths).values()];
  const wanted = asked.split(",").map((pair) => {
    const [axis = "", value = ""] = pair.split("=", 2);
    const path = axisNamed(axis, paths);
    if (path !== undefined) {
      return ({ parameters }: LatticePoint) => isValue(value, String(parameters[path]));
    }
    if (axis === "hidden") return ({ hidden }: LatticePoint) => hidden.join("-") === value;
    const number = NUMBERS.find((name) => name === axis);
    if (number !== undefined) return (point: LatticePoint) => isValue(value, String(point[number]));
    throw new UsageError(`expected an axis of ${known.join(", ")}; got ${axis}`);
  });
  return ({ point }) => wanted.every((matches) => matches(point));
}
