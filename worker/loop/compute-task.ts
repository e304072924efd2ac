import { analysisOf } from "../../shared/analyses/registry.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { InvalidTaskError } from "../../shared/errors.ts";
import type { Task } from "../../shared/messages.ts";
import type { ThreadReply } from "../tasks/thread-messages.ts";
import type { TaskRun } from "./task-run.ts";
import { trainInThread } from "./train-in-thread.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * From this attempt on a task may be one that kills its process. A process runs only one such task at a time:
 * otherwise a harmless task that ran beside it would be lost with it again and again, and be given up.
 */
const SUSPECT_ATTEMPT = 3;

/**
 * Has a thread compute the task.
 * @throws InvalidTaskError if the task is for another engine.
 * @throws if the thread crashes or is terminated, or if the weights cannot be read.
 */
export function computeTask(worker: WorkerState, run: TaskRun): Promise<ThreadReply> {
  if (run.lease.attempt < SUSPECT_ATTEMPT) return compute(worker, run);
  return worker.suspects(() => compute(worker, run));
}

async function compute(worker: WorkerState, run: TaskRun): Promise<ThreadReply> {
  const { task } = run.lease;
  if (task.engine !== worker.engine) {
    throw new InvalidTaskError(
      `expected a task of engine ${worker.engine}, got one of ${task.engine}`,
    );
  }
  if (task.kind === "train") return await trainInThread(worker, run);
  const { pool } = worker;
  const { input, progress, stop } = run;
  const data = await samplesFor(worker, task);
  const request = { task, weights: await input, data, progress: progress.buffer };
  return await pool.run(request, { signal: stop.force.signal });
}

/** What an analysis or the plane of a field reads besides weights, if it was read from files. */
async function samplesFor({ dataSets }: WorkerState, task: Task): Promise<FileSamples | null> {
  if (task.kind === "train" || task.data === undefined) return null;
  if (task.kind === "analysis" && analysisOf(task.analysis).reads !== "samples") return null;
  return await dataSets.of(task.sweep, task.data);
}
