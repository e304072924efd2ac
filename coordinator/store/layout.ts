/** Where things are in a store (design §5). Paths are relative to its directory. */
import type { Snapshot } from "../../shared/cell.ts";

export const SWEEP_YAML = "sweep.yaml";
export const SWEEP_JSON = "sweep.json";
export const SUMMARY_JSON = "summary.json";
export const SUMMARY_CSV = "summary.csv";
export const INDEX = "index.txt";
export const JOURNAL = "journal.jsonl";
export const CELLS = "cells";
export const GRIDS = "grids";
export const DATA = "data";
export const DEAD = "dead";
export const FIGURES = "figures";
export const EXPORT = "export";

export function isCellId(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name);
}

export function cellFolder(cell: string): string {
  return `${CELLS}/${cell}`;
}

export function cellJson(cell: string): string {
  return `${cellFolder(cell)}/cell.json`;
}

export function weightsFile(cell: string, snapshot: Snapshot): string {
  return `${cellFolder(cell)}/weights-${snapshot}.safetensors`;
}

/** The field's own id is in its name, so that fields of several regions of one network can be side by side. */
export function fieldFolder(cell: string, snapshot: Snapshot, field: string): string {
  return `${cellFolder(cell)}/field-${snapshot}-${field}.zarr`;
}

/** Arrays of an analysis. */
export function analysisFolder(
  cell: string,
  { name, snapshot, id }: { name: string; snapshot: Snapshot; id: string },
): string {
  return `${cellFolder(cell)}/${name}-${snapshot}-${id}.zarr`;
}

export function deadFile(task: string): string {
  return `${DEAD}/${task}.json`;
}

/** What a data set from files is made of, by its digest. */
export function contentFile(digest: string): string {
  return `${DATA}/${digest.slice("sha256:".length, "sha256:".length + 16)}.safetensors`;
}

/** Metadata and coordinates that fields share. */
export function gridFolder(key: string): string {
  return `${GRIDS}/${key}`;
}
