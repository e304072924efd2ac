/** Computes stored results again and compares bytes. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import pLimit from "p-limit";
import { digestOf } from "../../shared/identity.ts";
import type {
  AnalysisResult,
  AnalysisTask,
  FieldResult,
  FieldTask,
  Task,
  TaskResult,
  TrainResult,
} from "../../shared/messages.ts";
import type { CoordinatorTransport } from "../../shared/transport/transport.ts";
import { taskOf } from "../../shared/transport/transport.ts";
import type { AnalysisPlan, Plan } from "../plan/plan.ts";
import { analysisTask, trainTask } from "../plan/plan.ts";
import { analysisFiles } from "../store/analysis-zarr.ts";
import type { AnalysisRecord, CellRecord, FieldStatistics } from "../store/cell-record.ts";
import { storedColumns, storedHistory } from "../store/cell-record.ts";
import { statisticsOf } from "../store/field-statistics.ts";
import { readFieldArray, tileFiles } from "../store/field-zarr.ts";
import { readIfThere } from "../store/files.ts";
import { analysisFolder, cellJson, fieldFolder, weightsFile } from "../store/layout.ts";
import type { FieldState, StoreState } from "../store/scan.ts";
import { tileTask } from "../store/tile-task.ts";
import { isOfWorkers } from "./analyses.ts";
import { startBeside } from "./beside/client.ts";
import { computeBeside } from "./beside/compute-beside.ts";
import { contentsOf, offerContent } from "./offer-content.ts";

/** A stored result that can be computed again. */
export type Claim =
  | { readonly task: Task & { kind: "train" }; readonly record: CellRecord }
  | { readonly task: FieldTask; readonly field: FieldState }
  | {
      readonly task: AnalysisTask;
      readonly analysis: AnalysisPlan;
      readonly stored: AnalysisRecord;
      /** Ids of the members that have what it reads. */
      readonly members: readonly string[];
    };

/**
 * A share of the stored results, the same in every call: those whose task ids have the lowest hashes.
 * At least one, if there is any.
 */
export function sampleClaims(plan: Plan, state: StoreState, share: number): Claim[] {
  const ranked = allClaims(plan, state)
    .map((claim) => ({ claim, rank: rankOf(claim.task.id) }))
    .sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, Math.max(1, Math.round(share * ranked.length))).map(({ claim }) => claim);
}

/**
 * Has each claim computed by any worker that the transport finds.
 * @returns the files whose bytes differ from the stored ones, or that could not be computed.
 */
export async function recompute(
  claims: readonly Claim[],
  options: {
    readonly plan: Plan;
    readonly directory: string;
    readonly transport: CoordinatorTransport;
    readonly flight: number;
    readonly signal: AbortSignal;
    onChecked(done: number): void;
  },
): Promise<string[]> {
  const { plan, directory, transport, signal, onChecked } = options;
  const limit = pLimit(options.flight);
  const waiting = new Map<string, (result: TaskResult | null) => void>();
  const different: string[] = [];
  const beside = startBeside(directory);
  const contentOffers = new Map<string, Promise<void>>();
  let done = 0;

  async function check(claim: Claim): Promise<void> {
    signal.throwIfAborted();
    if ("analysis" in claim && !isOfWorkers(claim.analysis)) {
      const result = await computeBeside(beside, plan, claim);
      different.push(...(await compare(claim, result.kind === "error" ? null : result)));
      onChecked(++done);
      return;
    }
    if (claim.task.kind !== "train") await offerWeights(claim.task);
    for (const digest of contentsOf(plan, claim.task)) {
      const offer =
        contentOffers.get(digest) ?? offerContent({ plan, directory, transport }, digest);
      contentOffers.set(digest, offer);
      await offer;
    }
    const answered = new Promise<TaskResult | null>((resolve) => {
      waiting.set(claim.task.id, resolve);
    });
    await transport.publish(claim.task);
    const result = await answered;
    different.push(...(await compare(claim, result)));
    onChecked(++done);
  }

  async function offerWeights({ cell, snapshot }: FieldTask | AnalysisTask): Promise<void> {
    const bytes = await readIfThere(join(directory, weightsFile(cell, snapshot)));
    if (bytes !== null) await transport.putBlob(plan.sweep, bytes);
  }

  async function compare(claim: Claim, result: TaskResult | null): Promise<string[]> {
    const { cell } = claim.task;
    if (result === null) return [`${claim.task.id} (could not be computed)`];
    if ("record" in claim) return await compareTraining(claim.record, result as TrainResult);
    if ("analysis" in claim) return differentFiles(claim, result as AnalysisResult);
    const { field, task } = claim;
    const folder = fieldFolder(cell, field.snapshot, plan.field!.id);
    const paths: string[] = [];
    for (const [name, bytes] of tileFiles(field.description, task.tile, result as FieldResult)) {
      const stored = await readIfThere(join(directory, folder, name));
      if (stored === null || !stored.equals(bytes)) paths.push(`${folder}/${name}`);
    }
    return paths;
  }

  /** Compares a training's weights and everything in its record, statistics of its fields included. */
  async function compareTraining(record: CellRecord, made: TrainResult): Promise<string[]> {
    const paths = record.weights
      .filter(({ digest }) => !made.weights.some((other) => other.digest === digest))
      .map(({ snapshot }) => weightsFile(record.cell, snapshot));
    const { status, reason, epochs } = made;
    const expected = { status, reason, epochs, history: storedHistory(made.history) };
    const { history } = record;
    const said = { status: record.status, reason: record.reason, epochs: record.epochs, history };
    if (!isDeepStrictEqual(said, expected)) paths.push(`${cellJson(record.cell)} (the training)`);
    for (const { snapshot, field, statistics } of record.fields) {
      if (field !== plan.field?.id) continue;
      const folder = join(directory, fieldFolder(record.cell, snapshot, field));
      const lambda1 = await readFieldArray(folder, "lambda1");
      const output = await readFieldArray(folder, "output");
      const { grid } = plan.field;
      const anew = await statisticsOf({ lambda1, output, grid }, { directory, record, snapshot });
      if (isDeepStrictEqual(statistics, sameMembers(anew, statistics))) continue;
      paths.push(`${cellJson(record.cell)} (statistics of ${snapshot})`);
    }
    for (const { digest } of made.weights) await transport.dropBlob(plan.sweep, digest);
    return paths;
  }

  const over = new AbortController();
  const collected = (async () => {
    for await (const outcome of transport.outcomes(plan.sweep, { signal: over.signal })) {
      const id = taskOf(outcome);
      waiting.get(id)?.(outcome.kind === "dead" ? null : outcome.result);
      waiting.delete(id);
      await outcome.ack();
    }
  })();
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    const checked = Promise.all(claims.map((claim) => limit(() => check(claim))));
    await Promise.race([checked, stopped, collected.then(() => stopped)]);
  } finally {
    signal.removeEventListener("abort", stop);
    over.abort();
    await beside.stop();
    await collected;
  }
  return different.sort();
}

/** The files of an analysis, and its columns in the cell's record, that are not as they were stored. */
function differentFiles(
  { task, analysis, stored }: Extract<Claim, { analysis: unknown }>,
  result: AnalysisResult,
): string[] {
  const { cell, snapshot, weights } = task;
  const { definition, ref } = analysis;
  const columns = storedColumns(result.columns);
  const paths = isDeepStrictEqual(columns, stored.columns)
    ? []
    : [`${cellJson(cell)} (${ref.name} of ${snapshot})`];
  const folder = analysisFolder(cell, stored);
  const { options } = ref;
  const files = analysisFiles(definition, { cell, snapshot, weights, options }, result);
  for (const { path, digest } of stored.files) {
    const made = files.get(path);
    if (made === undefined || digestOf(made) !== digest) paths.push(`${folder}/${path}`);
  }
  return paths;
}

/** Records of earlier versions do not count saturated points. */
function sameMembers(anew: FieldStatistics, { saturated }: FieldStatistics): FieldStatistics {
  if (saturated !== undefined) return anew;
  const { saturated: _, ...others } = anew;
  return others;
}

function allClaims(plan: Plan, { cells }: StoreState): Claim[] {
  const claims: Claim[] = [];
  const trained = new Set(
    cells.flatMap(({ cell, record }) => (record?.status === "trained" ? [cell.id] : [])),
  );
  for (const { cell, record, fields, analyses } of cells) {
    if (record === null) continue;
    for (const state of analyses) {
      const { analysis, record: stored } = state;
      if (stored === null) continue;
      const members = analysis.members(cell.id).map(({ id }) => id);
      const present = members.filter((id) => trained.has(id));
      claims.push({ task: analysisTask(plan, cell, state), analysis, stored, members: present });
    }
    claims.push({ task: trainTask(plan, cell), record });
    for (const field of fields) {
      field.tiles.forEach((isStored, i) => {
        if (isStored === 0) return;
        claims.push({
          task: tileTask(plan, cell, { description: field.description, index: i }),
          field,
        });
      });
    }
  }
  return claims;
}

function rankOf(id: string): number {
  return createHash("sha256").update(id).digest().readUInt32LE(0);
}
