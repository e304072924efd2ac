import type { Provenance, TaskResult, TrainResult } from "../../shared/messages.ts";
import type { Lease } from "../../shared/transport/transport.ts";
import { VERSION } from "../../shared/version.ts";
import type { ThreadReply, ThreadTraining } from "../tasks/thread-messages.ts";
import type { WorkerState } from "./worker-state.ts";

/** The result of a task. The weights of a training are stored at the broker first; the result refers to them by digest. */
export async function taskResult(
  worker: WorkerState,
  { task, attempt }: Lease,
  reply: Exclude<ThreadReply, { kind: "error" }>,
): Promise<TaskResult> {
  const { name, engine } = worker;
  const { seconds } = reply;
  const provenance: Provenance = { worker: name, engine, version: VERSION, attempt, seconds };
  const header = { task: task.id, cell: task.cell, provenance };
  if (reply.kind === "field") return { kind: "field", ...header, ...reply.tile };
  if (reply.kind === "analysis") return { kind: "analysis", ...header, ...reply.found };
  const { blobs, ...training } = reply.trained;
  const weights = await putWeights(worker, task.sweep, blobs);
  return { kind: "train", ...header, ...training, weights };
}

async function putWeights(
  { transport }: WorkerState,
  sweep: string,
  blobs: ThreadTraining["blobs"],
): Promise<TrainResult["weights"]> {
  const weights = [];
  for (const { snapshot, epoch, bytes } of blobs) {
    const digest = await transport.putBlob(sweep, bytes);
    weights.push({ snapshot, epoch, digest, bytes: bytes.length });
  }
  return weights;
}
