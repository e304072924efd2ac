import type { FieldResult, FieldTask } from "../../shared/messages.ts";
import { sliceCoordinates } from "../../shared/numerics/grid.ts";
import type { Weights } from "../../shared/numerics/network.ts";
import { fieldWork } from "../../shared/work.ts";
import type { Engine } from "../engines/engine.ts";
import type { Progress } from "./progress.ts";

export type Tile = Pick<FieldResult, "lambda1" | "direction" | "output">;

/** What a tile is computed with. */
export interface TileTools {
  /** Of the network at the task's snapshot. */
  readonly weights: Weights;
  readonly engine: Engine;
  /** Is set to the part of the tile that is done, and says when to stop. */
  readonly progress: Progress;
}

/**
 * Computes one tile in bands of rows, each about as much work as one call of the engine should do.
 * @throws StoppedError when it is asked to stop.
 */
export function computeTile(
  { network, grid, tile }: FieldTask,
  { weights, engine, progress }: TileTools,
): Tile {
  const { columns, rows } = tile;
  const { x, y } = sliceCoordinates(grid, tile);
  const layers = grid.layers === "all" ? network.hidden.length : 1;
  const lambda1 = new Float32Array(layers * rows * columns);
  const direction = new Float32Array(layers * rows * columns);
  const output = new Float32Array(rows * columns);
  const band = Math.max(1, Math.floor(engine.callWork / fieldWork(network, columns)));
  const loaded = engine.load(network, weights, progress.stopFlag);
  try {
    for (let row = 0; row < rows; row += band) {
      progress.throwIfStopped();
      const part = loaded.field({ x, y: y.subarray(row, row + band), layers: grid.layers });
      output.set(part.output, row * columns);
      const length = part.output.length;
      for (let l = 0; l < layers; l++) {
        const at = (l * rows + row) * columns;
        lambda1.set(part.lambda1.subarray(l * length, (l + 1) * length), at);
        direction.set(part.direction.subarray(l * length, (l + 1) * length), at);
      }
      progress.set(Math.min(1, (row + band) / rows));
    }
    return { lambda1, direction, output };
  } finally {
    loaded.dispose();
  }
}
