import type { Command } from "commander";
import { Option } from "commander";
import { cellsTable } from "../../coordinator/results/export/cells-table.ts";
import { writeCsv } from "../../coordinator/results/export/csv.ts";
import { writeGeojson } from "../../coordinator/results/export/geojson.ts";
import { writeLattice } from "../../coordinator/results/export/lattice-zarr.ts";
import { writeParquet } from "../../coordinator/results/export/parquet.ts";
import { pointsTable } from "../../coordinator/results/export/points-table.ts";
import type { StoredSweepState } from "../../coordinator/results/export/stored-fields.ts";
import type { Table } from "../../coordinator/results/export/table.ts";
import { writeWhole } from "../../coordinator/results/export/write-whole.ts";
import { ridgesPlan } from "../../coordinator/results/stored-ridges.ts";
import { summaryRows } from "../../coordinator/results/summary.ts";
import { totals } from "../../coordinator/store/cell-status.ts";
import { EXPORT } from "../../coordinator/store/layout.ts";
import { wayInto } from "../../coordinator/store/put-aside.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { UsageError } from "../../shared/errors.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { integer, shellPath, shownPath } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { createOutput } from "../terminal/output.ts";

interface ExportFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly format: "zarr" | "csv" | "parquet" | "geojson";
  readonly table?: "cells" | "points";
  readonly out?: string;
  readonly force?: boolean;
}

export function exportCommand(): Command {
  return command("export", [
    "export sweeps/fig2 --format zarr      # one array over the lattice: xarray.open_zarr(path)",
    "export sweeps/fig2 --format csv       # a row for each network and snapshot",
    "export sweeps/fig2 --format parquet --table points --out fig2.parquet --force",
  ])
    .argument("<dir>", "the sweep's directory")
    .addOption(
      new Option(
        "--format <format>",
        "the whole lattice as one Zarr group, a table, or (geojson) the lines of the analysis ridges",
      )
        .choices(["zarr", "csv", "parquet", "geojson"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--table <table>",
        "rows of the table: networks and snapshots, or the points of every field (default: cells)",
      ).choices(["cells", "points"]),
    )
    .option("-o, --out <path>", "where to (default: <dir>/export/lattice.zarr, cells.csv, …)")
    .option("-f, --force", "replace an earlier export")
    .action(exportSweep);
}

async function exportSweep(directory: string, flags: ExportFlags): Promise<void> {
  const { format, force = false } = flags;
  const output = createOutput(flags);
  const interrupt = onInterrupt("interrupted; nothing was exported");
  try {
    const { sweep, plan } = await loadStored(directory);
    const state = await scanStore(plan, { directory, thorough: false });
    const source = { directory, sweep, plan, state };
    const kind = format === "zarr" ? "group" : "file";
    const { name, write } = exportOf(source, flags, interrupt);
    if (flags.out === undefined) wayInto(directory).clear(`${EXPORT}/`);
    const path = flags.out ?? shownPath(directory, EXPORT, `${name}.${format}`);
    await writeWhole(path, { kind, force }, write);
    noteMissing(source, output.note);
    output.result(path, { path });
  } finally {
    interrupt.dispose();
  }
}

/** What is asked for, by its name: lattice, cells or points. */
function exportOf(
  source: StoredSweepState,
  { format, table }: ExportFlags,
  options: { signal: AbortSignal },
): { name: string; write: (path: string) => Promise<void> } {
  const isTable = format === "csv" || format === "parquet";
  if (table !== undefined && !isTable) {
    throw new UsageError(
      `expected --table only with --format csv or parquet, got it with ${format}; leave it out`,
    );
  }
  if (format === "geojson") {
    const analysis = ridgesPlan(source.plan, shellPath(source.directory));
    return {
      name: "ridges",
      write: (path) => writeGeojson(path, source, { analysis, ...options }),
    };
  }
  if (isTable) {
    const name = table ?? "cells";
    const rows = tableOf(source, name, options);
    const write = format === "csv" ? writeCsv : writeParquet;
    return { name, write: (path) => write(path, rows) };
  }
  return { name: "lattice", write: (path) => writeLattice(path, source, options) };
}

function tableOf(
  source: StoredSweepState,
  table: "cells" | "points",
  options: { signal: AbortSignal },
): Table {
  const { sweep, plan, state } = source;
  if (table === "cells") return cellsTable({ sweep, plan }, summaryRows(plan, state));
  if (plan.field !== null) return pointsTable(source, plan.field, options);
  throw new UsageError(
    "expected fields to take points from; this sweep has `field: none`, try --table cells",
  );
}

function noteMissing({ plan, state }: StoredSweepState, note: (line: string) => void): void {
  const { cells, fields } = totals(plan, state);
  const untrained = cells.missing + cells.dead;
  const incomplete = fields.expected - fields.complete;
  if (untrained + incomplete === 0) return;
  note(
    `the sweep is not complete: ${integer(untrained)} of ${integer(plan.cells.length)} networks are not trained, ${integer(incomplete)} of ${integer(fields.expected)} fields are not complete`,
  );
}
