/** Explains why a cell is to be computed: where its physics differs from what is stored. */
import type { CellPhysics } from "../../shared/cell.ts";

export interface Difference {
  /** Path within the physics, e.g. `training.epochs`. */
  readonly path: string;
  readonly here: unknown;
  readonly there: unknown;
}

/** The fields in which two cells' physics differ, in the order of the physics. */
export function differences(here: unknown, there: unknown, path = ""): Difference[] {
  if (!isRecord(here) || !isRecord(there)) {
    return JSON.stringify(here) === JSON.stringify(there) ? [] : [{ path, here, there }];
  }
  const keys = new Set([...Object.keys(here), ...Object.keys(there)]);
  return [...keys].flatMap((key) =>
    differences(here[key], there[key], path === "" ? key : `${path}.${key}`),
  );
}

export interface Nearest {
  readonly cell: string;
  readonly differences: readonly Difference[];
}

/** The stored cell that differs in the fewest fields; null if none is stored. */
export function nearestCell(
  physics: CellPhysics,
  stored: Iterable<{ readonly cell: string; readonly physics: CellPhysics }>,
): Nearest | null {
  let nearest: Nearest | null = null;
  for (const other of stored) {
    const found = differences(physics, other.physics);
    if (nearest === null || found.length < nearest.differences.length) {
      nearest = { cell: other.cell, differences: found };
    }
  }
  return nearest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
