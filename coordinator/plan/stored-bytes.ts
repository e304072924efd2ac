import { parameterCount } from "../../shared/numerics/network.ts";
import type { Plan } from "./plan.ts";
import { plannedTile } from "./plan.ts";

/** Upper bound for the small files: records, metadata, checksums. A heuristic, for an estimate. */
const OVERHEAD_BYTES = 4_000;

/** About how many bytes a whole sweep takes in its store, if every weight is a float64. */
export function storedBytes(plan: Plan): number {
  const snapshots = plan.snapshots.length;
  let bytes = 0;
  for (const { physics } of plan.cells) {
    const { network } = physics;
    bytes += OVERHEAD_BYTES + snapshots * (8 * parameterCount(network) + OVERHEAD_BYTES);
    if (plan.field === null) continue;
    const { points, layers } = plan.field.grid;
    const side = plannedTile(plan.field, network);
    const padded = (Math.ceil(points / side) * side) ** 2;
    const depth = layers === "all" ? network.hidden.length : 1;
    bytes += snapshots * 4 * (2 * depth + 1) * padded;
  }
  return bytes;
}
