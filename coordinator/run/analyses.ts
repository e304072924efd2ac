/** The life of analyses in a run: each is opened as soon as what it reads is stored. */
import type { Snapshot } from "../../shared/cell.ts";
import type { AnalysisPlan, Cell } from "../plan/plan.ts";
import { analysisTask, trainTask } from "../plan/plan.ts";
import type { CellState, FieldState } from "../store/scan.ts";
import type { AnalysisOfCell, Job } from "./backlog.ts";
import { noteDeadLetter } from "./note-dead-letter.ts";
import type { Run } from "./run.ts";
import { releaseWeights, useWeights } from "./weights-in-use.ts";

export type AnalysisJob = Extract<Job, { kind: "analysis" }>;

export interface Analyses {
  /** Cells with an outcome, by id. */
  readonly cells: Map<string, AnalysedCell>;
  /** To be computed beside the store; the first is being computed. */
  readonly beside: AnalysisJob[];
  /** Fields whose last tile is being stored. */
  readonly completing: Set<FieldState>;
  /** Is called when `beside` has got jobs. */
  onBeside: () => void;
  /** Ends what computes beside the store. */
  stop: () => Promise<void>;
}

interface AnalysedCell {
  readonly cell: Cell;
  readonly outcome: "trained" | "diverged" | "dead";
  readonly fields: readonly FieldState[];
  readonly analyses: readonly AnalysisOfCell[];
}

export function createAnalyses(): Analyses {
  return { cells: new Map(), beside: [], completing: new Set(), onBeside() {}, async stop() {} };
}

/** Opens the analyses that are missing, as far as what they read is stored. */
export async function prepareAnalyses(run: Run): Promise<void> {
  if (run.analyses === null) return;
  for (const state of run.state.cells) {
    if (state.record !== null) register(run, state);
    else if (run.state.dead.has(trainTask(run.plan, state.cell).id)) registerDead(run, state.cell);
  }
  for (const cell of [...run.analyses.cells.values()]) await advance(run, cell);
}

/** A cell has been trained, or has diverged. */
export async function openAnalyses(run: Run, state: CellState): Promise<void> {
  if (run.analyses === null) return;
  register(run, state);
  await advanceAround(run, state.cell);
}

/** A cell's training was given up. */
export async function trainingGivenUp(run: Run, cell: Cell): Promise<void> {
  if (run.analyses === null) return;
  registerDead(run, cell);
  await advanceAround(run, cell);
}

/** Every tile of a field has an outcome. */
export async function fieldEnded(run: Run, cell: Cell): Promise<void> {
  const found = run.analyses?.cells.get(cell.id);
  if (found !== undefined) await advance(run, found);
}

/** An analysis has an outcome, which is stored. */
export async function analysisEnded(
  run: Run,
  { cell, task, analysis }: AnalysisJob,
  status: "stored" | "dead",
): Promise<void> {
  analysis.status = status;
  run.backlog.close(cell);
  if (isOfWorkers(analysis.analysis)) await releaseWeights(run, task.weights);
  await advanceAround(run, cell);
}

/** Whether workers compute it; others read what only the store has. */
export function isOfWorkers({ definition }: AnalysisPlan): boolean {
  return definition.reads === "network" || definition.reads === "samples";
}

/** Members of an analysis that have what it reads; the others diverged. */
export function membersWith({ analyses }: Run, { cell, analysis }: AnalysisJob): string[] {
  const members = analysis.analysis.members(cell.id).map(({ id }) => id);
  return members.filter((id) => analyses!.cells.get(id)?.outcome === "trained");
}

function register(run: Run, { cell, record, fields, analyses: states }: CellState): void {
  const analyses = states.map(({ record: found, isMissing, ...one }): AnalysisOfCell => {
    return { ...one, status: found !== null ? "stored" : isMissing ? "waiting" : "dead" };
  });
  const outcome = record!.status;
  run.analyses!.cells.set(cell.id, { cell, outcome, fields, analyses });
}

function registerDead(run: Run, cell: Cell): void {
  run.analyses!.cells.set(cell.id, { cell, outcome: "dead", fields: [], analyses: [] });
}

/** Opens what has become possible in a cell, and in those that read it. */
async function advanceAround(run: Run, cell: Cell): Promise<void> {
  const { cells } = run.analyses!;
  const around = new Set([cell.id]);
  for (const { members } of run.plan.analyses)
    for (const { id } of members(cell.id)) around.add(id);
  for (const id of around) {
    const found = cells.get(id);
    if (found !== undefined) await advance(run, found);
  }
}

async function advance(run: Run, cell: AnalysedCell): Promise<void> {
  for (const one of cell.analyses) {
    if (one.status !== "waiting") continue;
    const needed = whatItNeeds(run, cell, one);
    if (needed === "not yet") continue;
    one.status = "open";
    const job = jobOf(run, cell, one);
    if (needed !== "is there") await giveUp(run, job, needed.lacks);
    else if (isOfWorkers(one.analysis)) {
      useWeights(run, one.weights);
      run.backlog.add(job);
      run.topUp();
    } else {
      run.analyses!.beside.push(job);
      run.analyses!.onBeside();
    }
  }
}

type Needed = "is there" | "not yet" | { readonly lacks: string };

function whatItNeeds(run: Run, cell: AnalysedCell, one: AnalysisOfCell): Needed {
  const { reads } = one.analysis.definition;
  if (reads === "field") return stateOfField(run, cell, one.snapshot);
  if (reads === "seeds") return stateOfMembers(run, one, cell.cell);
  return "is there";
}

function stateOfField(
  { backlog, analyses }: Run,
  { cell, fields }: AnalysedCell,
  at: Snapshot,
): Needed {
  const field = fields.find(({ snapshot }) => snapshot === at)!;
  if (analyses!.completing.has(field)) return "not yet";
  if (!field.tiles.includes(0)) return "is there";
  return backlog.hasOpen(cell) ? "not yet" : { lacks: "tiles of the field were given up" };
}

/** Members that diverged are left out; of those that were given up nothing is known. */
function stateOfMembers(run: Run, { analysis, snapshot }: AnalysisOfCell, { id }: Cell): Needed {
  for (const member of analysis.members(id)) {
    const found = run.analyses!.cells.get(member.id);
    if (found === undefined) return "not yet";
    if (found.outcome === "diverged") continue;
    const base = found.analyses.find(
      (one) => one.analysis === analysis.base && one.snapshot === snapshot,
    );
    if (found.outcome === "dead" || base?.status === "dead") {
      return { lacks: `network ${member.id}, which differs in its seed alone, was given up` };
    }
    if (base?.status !== "stored") return "not yet";
  }
  return "is there";
}

function jobOf({ plan }: Run, { cell }: AnalysedCell, analysis: AnalysisOfCell): AnalysisJob {
  return { kind: "analysis", task: analysisTask(plan, cell, analysis), cell, analysis };
}

/** What it reads will not be there in this run. */
async function giveUp(run: Run, job: AnalysisJob, lacks: string): Promise<void> {
  const { id: task, sweep, cell, kind } = job.task;
  const reason = { name: "Lacking", message: `${lacks}; run it again together with this one` };
  await noteDeadLetter(run, job, {
    ...{ task, sweep, cell, kind, reason },
    ...{ worker: "coordinator", attempts: 1 },
  });
  job.analysis.status = "dead";
}
