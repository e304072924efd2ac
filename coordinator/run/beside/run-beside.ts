/** Computes the analyses of a run that read what only the store has, and stores what they find. */
import type { AnalysisJob } from "../analyses.ts";
import { membersWith } from "../analyses.ts";
import { keepDeadLetter, keepResult } from "../collect.ts";
import type { Run } from "../run.ts";
import { startBeside } from "./client.ts";
import { computeBeside } from "./compute-beside.ts";

/** Begins to work on `run.analyses.beside`, now and whenever something is added. */
export function runBeside(run: Run): void {
  const { analyses } = run;
  if (analyses === null) return;
  const beside = startBeside(run.store.directory);
  let isBusy = false;
  analyses.stop = () => beside.stop();
  analyses.onBeside = () => {
    if (isBusy || run.over.signal.aborted) return;
    isBusy = true;
    work()
      .finally(() => {
        isBusy = false;
      })
      .then(() => run.topUp(), run.fail);
  };

  async function work(): Promise<void> {
    const { beside: queue } = analyses!;
    for (let job = queue[0]; job !== undefined; job = queue[0]) {
      if (run.over.signal.aborted) return;
      await keep(job);
      queue.shift();
    }
  }

  async function keep(job: AnalysisJob): Promise<void> {
    const { task, analysis } = job;
    const members = membersWith(run, job);
    const stored = { task, analysis: analysis.analysis, members };
    const result = await computeBeside(beside, run.plan, stored);
    if (result.kind !== "error") return await keepResult(run, job, result);
    const { id, sweep, cell, kind } = task;
    const { error: reason } = result;
    const from = { worker: "coordinator", attempts: 1 };
    await keepDeadLetter(run, job, { task: id, sweep, cell, kind, reason, ...from });
  }

  analyses.onBeside();
}
