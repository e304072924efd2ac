import type { AnalysisResult } from "../../shared/messages.ts";
import type { AnalysisJob } from "./analyses.ts";
import { analysisEnded } from "./analyses.ts";
import type { Run } from "./run.ts";

/** Stores what an analysis found, and opens those that read it. */
export async function keepAnalysis(
  run: Run,
  job: AnalysisJob,
  { result, onStored }: { result: AnalysisResult; onStored: () => void },
): Promise<void> {
  const { task, cell, analysis } = job;
  await run.store.putAnalysis(task, analysis.analysis.idOf(cell.id), result);
  onStored();
  await analysisEnded(run, job, "stored");
}
