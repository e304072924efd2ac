/** Receives the outcome of each task, stores it, and then acknowledges it. */
import type { DeadLetter, FieldResult, TaskResult, TrainResult } from "../../shared/messages.ts";
import type { Outcome } from "../../shared/transport/transport.ts";
import type { Job } from "./backlog.ts";
import { closeIfComplete } from "./fields.ts";
import { keepTraining } from "./keep-training.ts";
import { resultFault } from "./result-fault.ts";
import type { Run } from "./run.ts";

/** Ends when the run is over. */
export async function collect(run: Run): Promise<void> {
  const { transport, plan, jobs, over } = run;
  for await (const outcome of transport.outcomes(plan.sweep, { signal: over.signal })) {
    const id = outcome.kind === "dead" ? outcome.letter.task : outcome.result.task;
    const job = jobs.get(id) ?? adopt(run, id);
    if (job === undefined) await noteLate(run, id);
    else await keep(run, job, outcome);
    await outcome.ack();
    jobs.delete(id);
    run.topUp();
  }
}

/** The job of a task that an earlier coordinator published, and whose outcome was waiting. */
function adopt({ backlog, jobs }: Run, task: string): Job | undefined {
  const job = backlog.take(task);
  if (job !== undefined) jobs.set(task, job);
  return job;
}

/** A second outcome of the task, or the same one again: what is stored stays. */
async function noteLate({ store, onEvent }: Run, task: string): Promise<void> {
  await store.journal({ event: "late", task });
  onEvent({ kind: "late", task });
}

async function keep(run: Run, job: Job, outcome: Outcome): Promise<void> {
  if (outcome.kind === "dead") await keepDeadLetter(run, job, outcome.letter);
  else await keepResult(run, job, outcome.result);
  if (job.kind !== "field") return;
  const tile = outcome.kind === "result" ? (outcome.result as FieldResult) : null;
  await closeIfComplete(run, { ...job, last: tile });
}

async function keepResult(run: Run, job: Job, result: TaskResult): Promise<void> {
  const { store, onEvent } = run;
  const { worker, attempt, seconds } = result.provenance;
  const fault = resultFault(job.task, result);
  if (fault !== null) {
    const { id: task, sweep, cell, kind } = job.task;
    const reason = { name: "InvalidResult", message: fault };
    await keepDeadLetter(run, job, { task, sweep, cell, kind, reason, worker, attempts: attempt });
    return;
  }
  const start = performance.now();
  if (job.kind === "train") await keepTraining(run, job.cell, result as TrainResult);
  else await keepTile(run, job, result as FieldResult);
  await store.journal({ event: "stored", task: job.task.id, worker, attempt, seconds });
  const storeSeconds = (performance.now() - start) / 1000;
  onEvent({ kind: "stored", job, seconds, attempt, storeSeconds });
}

async function keepTile(
  { store }: Run,
  job: Extract<Job, { kind: "field" }>,
  result: FieldResult,
): Promise<void> {
  await store.putTile(job.field.state, job.task, result);
  job.field.state.tiles[job.tile] = 1;
  job.field.pending--;
}

async function keepDeadLetter({ store, onEvent }: Run, job: Job, found: DeadLetter): Promise<void> {
  const { sweep, cell, kind } = job.task; // a worker that could not read the task does not know them
  const letter = { ...found, sweep, cell, kind };
  await store.putDeadLetter(letter);
  const { worker, attempts, reason } = letter;
  const entry = { task: job.task.id, worker, attempts, reason: reason.message };
  await store.journal({ event: "dead", ...entry });
  onEvent({ kind: "dead", job, letter });
  if (job.kind === "field") job.field.pending--;
}
