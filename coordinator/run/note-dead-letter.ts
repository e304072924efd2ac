import type { DeadLetter } from "../../shared/messages.ts";
import type { Job } from "./backlog.ts";
import type { Run } from "./run.ts";

/** Stores a dead letter, and tells of it. */
export async function noteDeadLetter(run: Run, job: Job, letter: DeadLetter): Promise<void> {
  await run.store.putDeadLetter(letter);
  const { worker, attempts, reason } = letter;
  const entry = { task: job.task.id, worker, attempts, reason: reason.message };
  await run.store.journal({ event: "dead", ...entry });
  run.onEvent({ kind: "dead", job, letter });
}
