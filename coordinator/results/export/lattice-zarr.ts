/** A sweep as one Zarr v3 group: its fields and results over the named dimensions of the lattice. */
import * as zarr from "zarrita";
import { gridCoordinates } from "../../../shared/numerics/grid.ts";
import { VERSION } from "../../../shared/version.ts";
import type { FieldPlan } from "../../plan/plan.ts";
import type { FieldArray } from "../../store/field-zarr.ts";
import { arraysOf } from "../../store/field-zarr.ts";
import { analysisColumns } from "../analysis-columns.ts";
import type { FlatRow } from "../summary.ts";
import { flatRow, hasSaturation, summaryRows } from "../summary.ts";
import type { Dimension } from "./lattice.ts";
import { latticeOf, placesIn } from "./lattice.ts";
import type { StoredField, StoredSweepState } from "./stored-fields.ts";
import { storedFields } from "./stored-fields.ts";
import type { Column } from "./table.ts";
import { cellColumns, POINT_COLUMNS } from "./table.ts";
import type { ZarrArray, ZarrGroup } from "./zarr-group.ts";
import { chunkOf, zarrGroup } from "./zarr-group.ts";

/**
 * Writes the group as a new folder. Where the lattice has no cell, or nothing is stored yet, numbers are
 * NaN and strings empty; fields of which nothing is stored take no space.
 *
 * @throws UsageError if the lattice is too large for an array, or the signal's reason.
 */
export async function writeLattice(
  folder: string,
  source: StoredSweepState,
  options: { signal: AbortSignal },
): Promise<void> {
  const { sweep, plan, state } = source;
  const dimensions = latticeOf(sweep);
  const rows = summaryRows(plan, state).map(flatRow);
  const isSaturated = hasSaturation(plan, state);
  const columns = cellColumns(sweep, { isSaturated, analyses: plan.analyses });
  const added = [...(isSaturated ? ["saturated"] : []), ...analysisColumns(plan).keys()];
  const group = zarrGroup(folder);
  for (const { name, labels } of dimensions) {
    const column = columns[name]!;
    await group.add(name, { column, dimensions: [name], shape: [labels.length] }, labels);
  }
  const coordinates = coordinatesOf(dimensions);
  for (const variable of [...coordinates, ...resultsOf(dimensions, added)]) {
    await addResult(group, variable, { column: columns[variable[0]]!, rows });
  }
  if (plan.field !== null) {
    const arrays = await createFields(group, plan.field, { dimensions, rows });
    const placeOf = placesIn(dimensions);
    for await (const field of storedFields(source, options)) {
      await putField(arrays, field, {
        place: placeOf(flatRow(field.row)),
        points: plan.field.grid.points,
      });
    }
  }
  await group.finish({
    title: sweep.name,
    source: `ftle-sweeper ${VERSION}`,
    sweep: plan.sweep,
    engine: plan.engine,
    // By this attribute xarray distinguishes coordinates from variables (CF conventions, section 5).
    coordinates: coordinates.map(([name]) => name).join(" "),
  });
}

type Variable = readonly [name: string, over: readonly Dimension[]];

/**
 * What belongs to places of the lattice besides the axes themselves. It includes all strings, so that
 * in xarray `ds.where(ds.status == "trained").mean("seed")` finds only numbers to work on.
 */
function coordinatesOf(dimensions: readonly Dimension[]): Variable[] {
  const named = (...names: string[]) => dimensions.filter(({ name }) => names.includes(name));
  const [variance] = named("weightVariance", "logGain");
  const [layers] = named("width", "hidden", "weights") as [Dimension];
  const shape: Variable[] = [
    ["width", [layers]],
    ["depth", [layers]],
  ];
  const ofCells: Variable[] = [
    ["cell", dimensions.slice(0, -1)],
    ["status", dimensions.slice(0, -1)],
  ];
  if (variance === undefined) return [["hidden", [layers]], ...shape, ...ofCells];
  return [
    [
      variance.name === "logGain" ? "weightVariance" : "logGain",
      [variance, ...named("activation"), layers], // the critical variance depends on the activation
    ],
    ...(layers.name === "hidden" ? shape : []),
    ...ofCells,
  ];
}

/** The results of the cells and their snapshots. */
function resultsOf(dimensions: readonly Dimension[], added: readonly string[]): Variable[] {
  const names = [...SNAPSHOT_RESULTS, ...added];
  const ofSnapshots = names.map((name): Variable => [name, dimensions]);
  return [["trainSeconds", dimensions.slice(0, -1)], ...ofSnapshots];
}

const SNAPSHOT_RESULTS = [
  "epoch",
  "trainLoss",
  "trainAccuracy",
  "testLoss",
  "testAccuracy",
  "lambda1Mean",
  "lambda1Std",
  "lambda1Min",
  "lambda1Max",
  "lambda1Centre",
  "lambda1Boundary",
  "notFinite",
] as const;

async function addResult(
  group: ZarrGroup,
  [name, over]: Variable,
  { column: { type, ...meaning }, rows }: { column: Column; rows: readonly FlatRow[] },
): Promise<void> {
  const isText = type === "string";
  const none = isText ? "" : Number.NaN;
  const shape = lengths(over);
  const values = new Array<string | number>(shape.reduce((a, b) => a * b)).fill(none);
  const placeOf = placesIn(over);
  for (const row of rows) {
    const at = placeOf(row).reduce((at, index, i) => at * shape[i]! + index, 0);
    values[at] = (row[name] as string | number | null) ?? none;
  }
  // Not integers: they have no NaN.
  const column = { ...meaning, type: isText ? type : ("float64" as const) };
  await group.add(name, { column, dimensions: over.map(({ name }) => name), shape }, values);
}

type FieldArrays = ReadonlyMap<FieldArray, ZarrArray>;

/** Makes the arrays of the fields, one chunk for each layer of each field, with their own coordinates. */
async function createFields(
  group: ZarrGroup,
  { grid }: FieldPlan,
  { dimensions, rows }: { dimensions: readonly Dimension[]; rows: readonly FlatRow[] },
): Promise<FieldArrays> {
  const { region, points, layers } = grid;
  const depth = rows.reduce((deepest, row) => Math.max(deepest, Number(row.depth)), 0);
  const axis = async (name: "layer" | "x" | "y", values: readonly number[]) => {
    const column = POINT_COLUMNS[name];
    await group.add(name, { column, dimensions: [name], shape: [values.length] }, values);
  };
  await axis("y", [...gridCoordinates(region.y, points)]);
  await axis("x", [...gridCoordinates(region.x, points)]);
  const layerNumbers = Array.from({ length: depth }, (_, l) => l + 1);
  if (layers === "all") await axis("layer", layerNumbers);
  const create = (name: FieldArray) => {
    const layer = layers === "all" && name !== "output" ? [depth] : [];
    return group.create(name, {
      column: POINT_COLUMNS[name],
      dimensions: [...dimensions.map(({ name }) => name), ...layer.map(() => "layer"), "y", "x"],
      shape: [...lengths(dimensions), ...layer, points, points],
      chunk: [...dimensions.map(() => 1), ...layer.map(() => 1), points, points],
    });
  };
  const arrays = new Map<FieldArray, ZarrArray>();
  for (const name of arraysOf(grid)) arrays.set(name, await create(name));
  return arrays;
}

async function putField(
  arrays: FieldArrays,
  field: StoredField,
  { place, points }: { place: readonly number[]; points: number },
): Promise<void> {
  const at = place.map((index) => zarr.slice(index, index + 1));
  for (const [name, array] of arrays) {
    const hasLayers = array.shape.length > place.length + 2;
    const layers = hasLayers ? [field.layers.length] : [];
    const shape = [...place.map(() => 1), ...layers, points, points];
    const selection = [...at, ...layers.map((count) => zarr.slice(0, count)), null, null];
    const data = field.arrays[name] as Float32Array<ArrayBuffer>;
    await zarr.set(array, selection, chunkOf(data, shape));
  }
}

function lengths(dimensions: readonly Dimension[]): number[] {
  return dimensions.map(({ labels }) => labels.length);
}
