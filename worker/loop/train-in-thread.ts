import type { TrainTask } from "../../shared/messages.ts";
import type { ThreadReply } from "../tasks/thread-messages.ts";
import { checkpointSaver } from "./checkpoint-saver.ts";
import type { TaskRun } from "./task-run.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Has a thread train, from the last checkpoint of an earlier delivery if there is one, and saves the checkpoints
 * that the thread sends. Settles only when the last of them has been saved.
 */
export async function trainInThread(worker: WorkerState, run: TaskRun): Promise<ThreadReply> {
  const { pool, savers, checkpointEveryMs: everyMs } = worker;
  const { lease, reported, progress, stop } = run;
  const saved = await run.input;
  const { sweep, physics } = lease.task as TrainTask;
  const data = await worker.dataSets.of(sweep, physics.data);
  const initial = await importedWeights(worker, lease.task as TrainTask);
  reported.isResumed = saved !== null;
  const number = ++worker.trainings;
  const saver = checkpointSaver(async (bytes) => {
    await lease.saveCheckpoint(bytes);
    worker.onEvent({ kind: "checkpoint" });
  });
  savers.set(number, saver);
  try {
    const checkpoints = { run: number, saved, everyMs };
    const request = {
      ...{ task: lease.task, weights: null, data, initial },
      ...{ progress: progress.buffer, checkpoints },
    };
    const reply = await pool.run(request, { signal: stop.force.signal });
    if (reply.kind === "error" && reply.checkpoint != null) saver.add(reply.checkpoint);
    return reply;
  } finally {
    savers.delete(number);
    await saver.settled();
  }
}

/** null for random initial weights, which the thread draws. */
async function importedWeights(
  { transport, stopRunning }: WorkerState,
  { sweep, physics: { initialisation } }: TrainTask,
): Promise<Uint8Array | null> {
  if (!("weights" in initialisation)) return null;
  const { signal } = stopRunning;
  return await transport.getBlob(sweep, initialisation.weights, { signal });
}
