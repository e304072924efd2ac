/** Numbers, cells and paths as people read them. */
import { join } from "node:path";
import { axisNames } from "../../coordinator/spec/axis-names.ts";
import type { LatticePoint } from "../../coordinator/spec/enumerate.ts";

/** `0.4 s`, `42 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`;
  const minutes = Math.round(total / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `512 B`, `3.4 kB`, `1.2 GB`: powers of 1000. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`;
}

/** `12 345 678`. */
export function integer(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** `1 cell`, `3 cells`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${integer(count)} ${count === 1 ? noun : plural}`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A cell as people know it: `N=50 L=8 σ_w²=0.02 batch=20 seed 1`. */
export function cellName({ hidden, weightVariance, seed, parameters }: LatticePoint): string {
  const isUniform = hidden.every((width) => width === hidden[0]);
  const layers = isUniform ? `N=${hidden[0]} L=${hidden.length}` : hidden.join("-");
  const names = axisNames(Object.keys(parameters));
  const others = Object.entries(parameters).map(([path, value]) => `${names.get(path)}=${value} `);
  const variance = Number(weightVariance.toPrecision(3));
  const drawn = Number.isNaN(variance) ? "" : `σ_w²=${variance} `; // not of imported networks
  return `${layers} ${drawn}${others.join("")}seed ${seed}`;
}

/** A path without detours, which no command takes for an option. */
export function shownPath(...parts: readonly string[]): string {
  const path = join(...parts);
  return path.startsWith("-") ? `./${path}` : path;
}

/** A path as a word of a command line, in quotes if a shell would take it apart. */
export function shellPath(...parts: readonly string[]): string {
  const path = shownPath(...parts);
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Rows as left-aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, column) => {
      widths[column] = Math.max(widths[column] ?? 0, text.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
