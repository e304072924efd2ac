import type { FieldResult, FieldTask } from "../../shared/messages.ts";
import { decisions } from "../../shared/numerics/decision.ts";
import { sliceCoordinates } from "../../shared/numerics/grid.ts";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { fieldWork } from "../../shared/work.ts";
import type { Engine, LoadedNetwork } from "../engines/engine.ts";
import type { Progress } from "./progress.ts";

export type Tile = Pick<
  FieldResult,
  "lambda1" | "lambda2" | "planeLambda1" | "direction" | "output"
>;

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
  { network, grid, tile }: Pick<FieldTask, "network" | "grid" | "tile">,
  { weights, engine, progress }: TileTools,
): Tile {
  const { columns, rows } = tile;
  const { x, y } = sliceCoordinates(grid, tile);
  const layers = grid.layers === "all" ? network.hidden.length : 1;
  const lambda1 = new Float32Array(layers * rows * columns);
  const direction = new Float32Array(layers * rows * columns);
  const output = new Float32Array(rows * columns);
  const height = Math.max(1, Math.floor(engine.callWork / fieldWork(network, columns)));
  const band = (row: number) => y.subarray(row, row + height);
  // The engine's fields have the first output's activation.
  const isPlain = network.outputs === 1 && network.outputActivation !== "sigmoid";
  const loaded = engine.load(network, weights, progress.stopFlag);
  try {
    for (let row = 0; row < rows; row += height) {
      progress.throwIfStopped();
      const part = loaded.field({ x, y: band(row), layers: grid.layers });
      const decided = isPlain ? part.output : decisionsAt(loaded, network, { x, y: band(row) });
      output.set(decided, row * columns);
      const length = part.output.length;
      for (let l = 0; l < layers; l++) {
        const at = (l * rows + row) * columns;
        lambda1.set(part.lambda1.subarray(l * length, (l + 1) * length), at);
        direction.set(part.direction.subarray(l * length, (l + 1) * length), at);
      }
      progress.set(Math.min(1, (row + height) / rows));
    }
    return { lambda1, direction, output };
  } finally {
    loaded.dispose();
  }
}

/** [rows, columns]. */
function decisionsAt(
  loaded: LoadedNetwork,
  network: NetworkShape,
  { x, y }: { x: Float64Array; y: Float64Array },
): Float32Array {
  const inputs = new Float32Array(2 * x.length * y.length);
  for (let i = 0; i < x.length * y.length; i++) {
    inputs[2 * i] = x[i % x.length]!;
    inputs[2 * i + 1] = y[Math.floor(i / x.length)]!;
  }
  return decisions(network, loaded.outputs(inputs));
}
