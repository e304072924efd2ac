import type { FieldGrid } from "../../../shared/cell.ts";
import { gridCoordinates } from "../../../shared/numerics/grid.ts";
import type { FieldPlan } from "../../plan/plan.ts";
import { arraysOf } from "../../store/field-zarr.ts";
import type { StoredField, StoredSweepState } from "./stored-fields.ts";
import { storedFields } from "./stored-fields.ts";
import type { Block, Table } from "./table.ts";
import { CELL_COLUMNS, columnValue, POINT_COLUMNS, parameterColumns } from "./table.ts";

/** The most rows of a block (a row group in Parquet), unless one line of a grid has more. A heuristic. */
const BLOCK_ROWS = 65_536;

/** Every field in long form: one row for each point of each grid, and layer. */
export function pointsTable(
  source: StoredSweepState,
  { grid }: FieldPlan,
  options: { signal: AbortSignal },
): Table {
  const { cell, width, depth, weightVariance, seed, snapshot } = CELL_COLUMNS;
  const { layer, x, y } = POINT_COLUMNS;
  const ofLayer = grid.layers === "all" ? { layer } : {};
  const ofPoint = arraysOf(grid).map((name) => [name, POINT_COLUMNS[name]] as const);
  return {
    columns: {
      ...{ cell, width, depth, weightVariance, seed },
      ...parameterColumns(source.sweep),
      ...{ snapshot, ...ofLayer, x, y, ...Object.fromEntries(ofPoint) },
    },
    blocks: blocksOf(source, grid, options),
  };
}

async function* blocksOf(
  source: StoredSweepState,
  { region, points }: FieldGrid,
  options: { signal: AbortSignal },
): AsyncGenerator<Block> {
  const x = gridCoordinates(region.x, points);
  const y = gridCoordinates(region.y, points);
  const lines = Math.max(1, Math.floor(BLOCK_ROWS / points));
  for await (const field of storedFields(source, options)) {
    for (const slice of field.layers.keys()) {
      for (let line = 0; line < points; line += lines) {
        yield blockOf(field, slice, { x, y: y.subarray(line, line + lines), line });
      }
    }
  }
}

/** The points of some lines of a grid, in the layer at index `slice`. */
function blockOf(
  { row, layers, arrays }: StoredField,
  slice: number,
  { x, y, line }: { x: Float64Array; y: Float64Array; line: number },
): Block {
  const points = x.length;
  const rows = points * y.length;
  const constant = <T>(value: T): T[] => new Array<T>(rows).fill(value);
  const from = line * points;
  const inLayer = ([name, array]: [string, Float32Array]) => {
    const start = (name === "output" ? 0 : slice * points ** 2) + from;
    return [name, array.subarray(start, start + rows)] as const;
  };
  return {
    rows,
    values: {
      cell: constant(row.cell),
      width: constant(row.width),
      depth: constant(row.depth),
      weightVariance: constant(row.weightVariance),
      seed: constant(row.seed),
      ...Object.fromEntries(
        Object.entries(row.parameters).map(([name, value]) => [name, constant(columnValue(value))]),
      ),
      snapshot: constant(String(row.snapshot)),
      layer: constant(layers[slice]!),
      x: Float64Array.from({ length: rows }, (_, i) => x[i % points]!),
      y: Float64Array.from({ length: rows }, (_, i) => y[Math.floor(i / points)]!),
      ...Object.fromEntries(Object.entries(arrays).map(inLayer)),
    },
  };
}
