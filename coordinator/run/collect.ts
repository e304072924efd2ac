/** Takes the outcome of each task, stores it, and acknowledges it when it is stored. */
import type {
  AnalysisResult,
  DeadLetter,
  FieldResult,
  TaskResult,
  TrainResult,
} from "../../shared/messages.ts";
import type { Outcome } from "../../shared/transport/transport.ts";
import { taskOf } from "../../shared/transport/transport.ts";
import { analysisEnded, fieldEnded, trainingGivenUp } from "./analyses.ts";
import type { Job } from "./backlog.ts";
import { closeIfOver } from "./fields.ts";
import { keepAnalysis } from "./keep-analysis.ts";
import { keepTile } from "./keep-tile.ts";
import { keepTraining } from "./keep-training.ts";
import { noteDeadLetter } from "./note-dead-letter.ts";
import { resultFault } from "./result-fault.ts";
import type { Run } from "./run.ts";

/** Results that are being stored at a time, at most: in number, and in bytes of their arrays. */
const MOST_STORING = 256;
const MOST_BYTES = 2 ** 27;

/**
 * Ends when the run is over and what it took is stored. While the disk is slower than the workers, outcomes are left
 * where they are: they do not pile up in memory.
 */
export async function collect(run: Run): Promise<void> {
  const { transport, plan, jobs, backlog, over } = run;
  const storing = new Map<string, Promise<void>>(); // by task
  let bytes = 0;
  let wake = () => {};
  for await (const outcome of transport.outcomes(plan.sweep, { signal: over.signal })) {
    const id = taskOf(outcome);
    // The job of a task that an earlier coordinator published is still in the backlog.
    const job = jobs.get(id) ?? backlog.take(id);
    jobs.delete(id);
    run.storing++;
    const size = bytesOf(outcome);
    bytes += size;
    // A broker that was away delivers once more what is being stored: not to be acknowledged before it is.
    const before = storing.get(id) ?? Promise.resolve();
    const stored = before
      .then(() => keep(run, job, outcome))
      .catch(run.fail)
      .finally(() => {
        if (storing.get(id) === stored) storing.delete(id);
        bytes -= size;
        run.storing--;
        run.topUp();
        wake();
      });
    storing.set(id, stored);
    run.topUp();
    while (run.storing >= MOST_STORING || (run.storing > 1 && bytes > MOST_BYTES)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  await Promise.all(storing.values());
}

function bytesOf(outcome: Outcome): number {
  if (outcome.kind === "dead" || outcome.result.kind === "train") return 0;
  const arrays = Object.values(outcome.result).filter((value) => value instanceof Float32Array);
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Stores an outcome, then acknowledges it. A task without a job came second, or twice: what is stored stays. */
async function keep(run: Run, job: Job | undefined, outcome: Outcome): Promise<void> {
  if (job === undefined) await noteLate(run, outcome);
  else if (outcome.kind === "dead") await keepDeadLetter(run, job, outcome.letter);
  else await keepResult(run, job, outcome.result);
  await outcome.ack();
}

/** What an earlier run stored, and was killed before it acknowledged, may not survive a power cut yet. */
async function noteLate({ store, onEvent }: Run, outcome: Outcome): Promise<void> {
  const task = taskOf(outcome);
  if (outcome.kind === "result") await store.secure(outcome.result.cell);
  await store.journal({ event: "late", task });
  onEvent({ kind: "late", task });
}

export async function keepResult(run: Run, job: Job, result: TaskResult): Promise<void> {
  const { worker, attempt, seconds } = result.provenance;
  const fault = resultFault(job.task, result);
  if (fault !== null) {
    const { id: task, sweep, cell, kind } = job.task;
    const reason = { name: "InvalidResult", message: fault };
    await keepDeadLetter(run, job, { task, sweep, cell, kind, reason, worker, attempts: attempt });
    return;
  }
  const start = performance.now();
  const onStored = () => {
    const storeSeconds = (performance.now() - start) / 1000;
    run.onEvent({ kind: "stored", job, seconds, attempt, storeSeconds });
  };
  if (job.kind === "train")
    await keepTraining(run, job.cell, { result: result as TrainResult, onStored });
  else if (job.kind === "field")
    await keepTile(run, job, { result: result as FieldResult, onStored });
  else await keepAnalysis(run, job, { result: result as AnalysisResult, onStored });
}

export async function keepDeadLetter(run: Run, job: Job, found: DeadLetter): Promise<void> {
  const { sweep, cell, kind } = job.task; // a worker that could not read the task does not know them
  await noteDeadLetter(run, job, { ...found, sweep, cell, kind });
  if (job.kind === "train") await trainingGivenUp(run, job.cell);
  else if (job.kind === "analysis") await analysisEnded(run, job, "dead");
  else {
    job.field.pending--;
    await closeIfOver(run, job.cell, job.field);
    if (job.field.pending === 0) await fieldEnded(run, job.cell);
  }
}
