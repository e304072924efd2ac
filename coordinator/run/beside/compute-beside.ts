/** Analyses of what only the store has, as requests to the thread that computes them. */
import type { AnalysisResult, AnalysisTask } from "../../../shared/messages.ts";
import { VERSION } from "../../../shared/version.ts";
import type { AnalysisPlan, Plan } from "../../plan/plan.ts";
import { analysisFolder, fieldFolder, weightsFile } from "../../store/layout.ts";
import type { Beside } from "./client.ts";
import type { BesideRequest } from "./messages.ts";

export interface StoredAnalysis {
  readonly task: AnalysisTask;
  readonly analysis: AnalysisPlan;
  /** Ids of the members that have the arrays which it reads. */
  readonly members: readonly string[];
}

/** @returns the result, or why there is none. */
export async function computeBeside(
  beside: Beside,
  plan: Plan,
  stored: StoredAnalysis,
): Promise<
  AnalysisResult | { readonly kind: "error"; readonly error: { name: string; message: string } }
> {
  const { task } = stored;
  const reply = await beside.compute({ task, reads: readsOf(plan, stored) });
  if (reply.kind === "error") return reply;
  const { engine } = task;
  const { seconds } = reply;
  const provenance = { worker: "coordinator", engine, version: VERSION, attempt: 1, seconds };
  return { kind: "analysis", task: task.id, cell: task.cell, ...reply.found, provenance };
}

function readsOf(plan: Plan, { task, analysis, members }: StoredAnalysis): BesideRequest["reads"] {
  const { cell, snapshot } = task;
  const { base } = analysis;
  if (base === null) {
    const { id, grid } = plan.field!;
    const weights = weightsFile(cell, snapshot);
    return { kind: "field", folder: fieldFolder(cell, snapshot, id), grid, weights };
  }
  const { name } = base.definition;
  const folders = members.map((member) =>
    analysisFolder(member, { name, snapshot, id: base.idOf(member) }),
  );
  return { kind: "seeds", folders, arrays: base.definition.arrays.map((array) => array.name) };
}
