/** The status of each cell of a plan, and totals over a store. */
import type { Plan } from "../plan/plan.ts";
import { trainTask } from "../plan/plan.ts";
import type { CellState, StoreState } from "./scan.ts";

/**
 * - `missing`: not trained yet
 * - `trained`, `diverged`: as the training ended
 * - `dead`: the training was given up; its dead letter says why
 */
export type CellStatus = "missing" | "trained" | "diverged" | "dead";

export function cellStatus(plan: Plan, { dead }: StoreState, { cell, record }: CellState) {
  if (record !== null) return record.status;
  return dead.size > 0 && dead.has(trainTask(plan, cell).id) ? "dead" : "missing";
}

/** Counts over a store. */
export interface Totals {
  readonly cells: Readonly<Record<CellStatus, number>>;
  /** Fields whose tiles are all stored, of those that trained cells should have. */
  readonly fields: { readonly complete: number; readonly expected: number };
  readonly tiles: { readonly stored: number; readonly expected: number };
  /** Of all snapshots of trained cells. */
  readonly analyses: { readonly stored: number; readonly expected: number };
  /** Tasks given up. */
  readonly deadLetters: number;
}

export function totals(plan: Plan, state: StoreState): Totals {
  const fields = { complete: 0, expected: 0 };
  const tiles = { stored: 0, expected: 0 };
  const analyses = { stored: 0, expected: 0 };
  for (const cell of state.cells) {
    for (const field of cell.fields) {
      fields.expected++;
      const stored = field.tiles.reduce((sum, isStored) => sum + isStored, 0);
      if (stored === field.tiles.length) fields.complete++;
      tiles.expected += field.tiles.length;
      tiles.stored += stored;
    }
    for (const { record } of cell.analyses) {
      analyses.expected++;
      if (record !== null) analyses.stored++;
    }
  }
  const deadLetters = state.dead.size;
  return { cells: cellCounts(plan, state), fields, tiles, analyses, deadLetters };
}

export function cellCounts(plan: Plan, state: StoreState): Record<CellStatus, number> {
  const counts = { missing: 0, trained: 0, diverged: 0, dead: 0 };
  for (const cell of state.cells) counts[cellStatus(plan, state, cell)]++;
  return counts;
}
