/** What the parts of the contract on fields share. */
import type { Engine, FieldTile, GridTile } from "../engines/engine.ts";
import { type Given, inEngine, tanhNetwork, weightsOf } from "./engine-fixtures.ts";

/** A tile of 11 columns and 5 rows, with coordinates that float32 holds exactly. */
export const tile: GridTile = {
  x: Float64Array.from({ length: 11 }, (_, i) => (i - 5) / 4),
  y: Float64Array.from({ length: 5 }, (_, i) => (i - 2) / 2),
  layers: "last",
};

/** A network with two hidden layers. */
export const given: Given = { network: tanhNetwork, weights: weightsOf(tanhNetwork) };

/** The field of a network in this engine. */
export function fieldIn(engine: Engine, of: Given, at: GridTile): FieldTile {
  return inEngine(engine, of, (loaded) => loaded.field(at));
}
