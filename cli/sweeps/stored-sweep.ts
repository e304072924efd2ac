import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ReadContent } from "../../coordinator/data/read-content.ts";
import type { Plan } from "../../coordinator/plan/plan.ts";
import { planSweep } from "../../coordinator/plan/plan.ts";
import { tileWork } from "../../coordinator/plan/tile-side.ts";
import { parseSweep } from "../../coordinator/spec/parse-sweep.ts";
import type { ReadSweep } from "../../coordinator/spec/read-sweep.ts";
import { SpecError } from "../../coordinator/spec/spec-error.ts";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { SWEEP_YAML } from "../../coordinator/store/layout.ts";
import type { StoredSweep } from "../../coordinator/store/store.ts";
import { readRecords, readStoredSweep } from "../../coordinator/store/store.ts";
import { UsageError } from "../../shared/errors.ts";
import { engines, engineWithId, resolveEngine } from "../../worker/engines/registry.ts";
import { shellPath, shownPath } from "../terminal/format.ts";

/** A sweep with its plan, and the text it was read from. */
export interface PlannedSweep {
  readonly sweep: Sweep;
  readonly source: string;
  readonly plan: Plan;
  /** What was read of its data set, if that is from files and they were read. */
  readonly content: ReadContent | null;
  /** Weights of imported networks that were read, by digest. */
  readonly networks: ReadonlyMap<string, Uint8Array>;
}

export interface StoredPlan extends PlannedSweep {
  readonly directory: string;
  /** Files of the sweep's own that are damaged. */
  readonly damaged: readonly string[];
  /** Whether its `sweep.yaml` seems to have been edited. */
  readonly isChanged: boolean;
}

/** What to do about a `sweep.yaml` that was changed, and may have another name by now. */
export function changedHint(directory: string, file = SWEEP_YAML): string {
  const [spec, out] = [shellPath(directory, file), shellPath(directory)];
  return `${SWEEP_YAML} was changed. Run what was written there with: ftle run ${spec} --out ${out}`;
}

/**
 * The sweep that a directory holds.
 * @throws UsageError if it holds none, SpecError if what it holds is no spec any more.
 */
export async function loadStored(directory: string): Promise<StoredPlan> {
  const stored = existsSync(directory) ? await readStoredSweep(directory) : null;
  if (stored === null) {
    throw new UsageError(
      `expected ${directory} to be the directory of a sweep, found no sweep.json in it; start one with: ftle run SPEC --out ${shellPath(directory)}`,
    );
  }
  const { record, source, damaged } = stored;
  const isChanged = stored.changed !== null;
  const sweep = record?.sweep ?? parseOrThrow(source, directory);
  const isImported = sweep.axes.layers.kind === "imported";
  const isUnread =
    (sweep.data.source !== undefined && sweep.content === undefined) ||
    (isImported && sweep.networks === undefined);
  if (isUnread) {
    const [spec, out] = [shellPath(directory, SWEEP_YAML), shellPath(directory)];
    throw new UsageError(
      `${directory} has lost sweep.json, and with it what its files hold. Bring it back with: ftle run ${spec} --out ${out} --data DIR`,
    );
  }
  const engine = record?.engine ?? (await engineFor(sweep, stored, directory));
  const plan = planFrom(sweep, engine);
  const nothingRead = { content: null, networks: new Map() };
  return { directory, sweep, source, damaged, isChanged, plan, ...nothingRead };
}

/** Another sweep for the directory of a stored one, with its engine. */
export function planStored(
  { plan, content, networks }: StoredPlan,
  { sweep, source }: { readonly sweep: Sweep; readonly source: string },
): PlannedSweep {
  return { sweep, source, plan: planFrom(sweep, plan.engine), content, networks };
}

/**
 * Plans a sweep for a directory: an engine that was chosen there once stays chosen.
 */
export async function planFor(
  directory: string,
  { sweep, text, content, networks }: ReadSweep,
): Promise<PlannedSweep> {
  const stored = existsSync(directory) ? await readStoredSweep(directory) : null;
  const engine = await engineFor(sweep, stored, directory);
  return { sweep, source: text, plan: planFrom(sweep, engine), content, networks };
}

function planFrom(sweep: Sweep, engine: string): Plan {
  const { fieldRate } = knownEngine(engine);
  return planSweep(sweep, engine, { tileWork: tileWork(fieldRate) });
}

/** `auto` stands for the engine that the directory's cells were computed with, or else the best one here. */
async function engineFor(
  { engine }: Sweep,
  stored: StoredSweep | null,
  directory: string,
): Promise<string> {
  if (engine !== "auto" || stored === null) return resolveEngine(engine);
  if (stored.record !== null) return stored.record.engine;
  for await (const { physics } of readRecords(directory)) return physics.engine;
  return resolveEngine(engine);
}

/** Without `sweep.json`, a sweep that its spec does not name is named after its directory. */
function parseOrThrow(source: string, directory: string): Sweep {
  const parsed = parseSweep(source, { file: resolve(directory) });
  if ("faults" in parsed) throw new SpecError(shownPath(directory, SWEEP_YAML), parsed.faults);
  return parsed.sweep;
}

/** @throws UsageError if this program has no such engine. */
function knownEngine(id: string) {
  const entry = engineWithId(id);
  if (entry !== undefined) return entry;
  const known = Object.values(engines).map((engine) => engine.id);
  throw new UsageError(
    `this sweep was computed with engine ${id}, and this program has ${known.join(", ")}; use the version of the program that made it, or another --out`,
  );
}

/** @throws UsageError if the engine is one of this program, but not of this machine. */
export function refuseMissingEngine(id: string): void {
  const { name, load } = knownEngine(id);
  const loaded = load();
  if ("missing" in loaded) throw new UsageError(`engine ${name} is not here: ${loaded.missing}`);
}
