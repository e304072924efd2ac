/**
 * The program as a library: `import { runSweep, openSweep } from "ftle-sweeper"`.
 * @module
 */
import { join } from "node:path";
import type { SummaryRow } from "../coordinator/results/summary.ts";
import { summaryRows } from "../coordinator/results/summary.ts";
import { readSweep } from "../coordinator/spec/read-sweep.ts";
import type { Totals } from "../coordinator/store/cell-status.ts";
import { totals } from "../coordinator/store/cell-status.ts";
import { readFieldArray } from "../coordinator/store/field-zarr.ts";
import { readIfThere } from "../coordinator/store/files.ts";
import { fieldFolder, weightsFile } from "../coordinator/store/layout.ts";
import { scanStore } from "../coordinator/store/scan.ts";
import type { Snapshot } from "../shared/cell.ts";
import { UsageError } from "../shared/errors.ts";
import { gridCoordinates } from "../shared/numerics/grid.ts";
import type { Weights } from "../shared/numerics/network.ts";
import { decodeWeights } from "../shared/safetensors.ts";
import type { BrokerOptions } from "../shared/transport/nats/connect.ts";
import { defaultThreads } from "../worker/thread-count.ts";
import { natsWork } from "./places/broker.ts";
import { localWork } from "./places/here.ts";
import { runToEnd } from "./sweeps/run-to-end.ts";
import { loadStored, planFor, refuseMissingEngine } from "./sweeps/stored-sweep.ts";
import { withEngine } from "./terminal/engine-option.ts";

export type { SummaryRow } from "../coordinator/results/summary.ts";
export { SpecError } from "../coordinator/spec/spec-error.ts";
export type { Totals } from "../coordinator/store/cell-status.ts";
export type { Snapshot } from "../shared/cell.ts";
export { BrokerError, FtleError, LockedError, StoreError, UsageError } from "../shared/errors.ts";
export type { Weights } from "../shared/numerics/network.ts";
export type { BrokerOptions } from "../shared/transport/nats/connect.ts";

export interface RunSweepOptions {
  /** Path of the sweep spec. */
  readonly spec: string;
  /** Directory of the store; what it holds already is not computed again. */
  readonly out: string;
  /** What does the arithmetic, instead of what the spec says. */
  readonly engine?: "auto" | "native" | "tfjs" | "reference";
  /** Broker at which workers (`ftle worker`) compute, instead of threads of this process. */
  readonly broker?: BrokerOptions;
  /** Threads that compute; one per core by default. */
  readonly threads?: number;
  /** The longest a task may take; unlimited by default. */
  readonly taskTimeoutMs?: number;
  /** Stops the run; what is stored stays. */
  readonly signal?: AbortSignal;
  /** Print progress to standard error. */
  readonly progress?: boolean;
}

/**
 * Runs a sweep to its end, or what is missing of it: on this machine, or with the workers at a broker.
 * @throws SpecError, LockedError, StoreError, UsageError if the engine is not here,
 * BrokerError, or the signal's reason.
 */
export async function runSweep(options: RunSweepOptions): Promise<Totals> {
  const { spec, out: directory, threads = defaultThreads(), progress = false } = options;
  const read = withEngine(await readSweep(spec), options);
  const planned = await planFor(directory, read);
  const { broker, taskTimeoutMs = Number.POSITIVE_INFINITY } = options;
  if (broker === undefined) refuseMissingEngine(planned.plan.engine);
  const onNotice = (line: string) => {
    if (progress) process.stderr.write(`${line}\n`);
  };
  const { totals } = await runToEnd({
    ...planned,
    directory,
    hasBroker: broker !== undefined,
    workPlace:
      broker === undefined
        ? localWork({ threads, taskTimeoutMs })
        : natsWork({ broker, priority: "normal", keep: false, onNotice }),
    retry: false,
    isQuiet: !progress,
    signal: options.signal ?? new AbortController().signal,
  });
  return totals;
}

/** A stored sweep, for reading. */
export interface StoredSweep {
  readonly name: string;
  readonly totals: Totals;
  /** One row for each network and snapshot, in the order of the axes. */
  readonly rows: readonly SummaryRow[];
  /** @throws UsageError if the field is not complete. */
  field(cell: string, snapshot?: Snapshot): Promise<Field>;
  /** Layers l = 0…L. @throws UsageError if the cell is not trained. */
  weights(cell: string, snapshot?: Snapshot): Promise<Weights>;
}

/** Arrays are row-major; row j is at y[j], column i at x[i]. */
export interface Field {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** λ₁; [rows, columns], or [layers, rows, columns] with `layers: all`. */
  readonly lambda1: Float32Array;
  /** Angle of maximal stretching, radians; shaped as `lambda1`. */
  readonly direction: Float32Array;
  /** What the network decides (`shared/numerics/decision.ts`); [rows, columns]. */
  readonly output: Float32Array;
}

/** @throws UsageError if the directory holds no sweep. */
export async function openSweep(directory: string): Promise<StoredSweep> {
  const { sweep, plan } = await loadStored(directory);
  const state = await scanStore(plan, { directory, thorough: false });
  return {
    name: sweep.name,
    totals: totals(plan, state),
    rows: summaryRows(plan, state),

    async field(cell, snapshot = "end") {
      const fields = state.cells.find((other) => other.cell.id === cell)?.fields;
      const field = fields?.find((other) => other.snapshot === snapshot);
      if (plan.field === null || field === undefined || field.tiles.includes(0)) {
        throw new UsageError(`expected a complete field of ${cell} at ${snapshot}, found none`);
      }
      const folder = join(directory, fieldFolder(cell, snapshot, plan.field.id));
      const { region, points } = plan.field.grid;
      return {
        x: gridCoordinates(region.x, points),
        y: gridCoordinates(region.y, points),
        lambda1: await readFieldArray(folder, "lambda1"),
        direction: await readFieldArray(folder, "direction"),
        output: await readFieldArray(folder, "output"),
      };
    },

    async weights(cell, snapshot = "end") {
      const bytes = await readIfThere(join(directory, weightsFile(cell, snapshot)));
      if (bytes === null)
        throw new UsageError(`expected weights of ${cell} at ${snapshot}, found none`);
      return decodeWeights(bytes);
    },
  };
}
