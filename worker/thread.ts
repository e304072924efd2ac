/** What runs in a piscina thread: one task at a time, from start to end. */
import { parentPort } from "node:worker_threads";
import { errorRecord } from "../shared/errors.ts";
import { decodeWeights, encodeWeights } from "../shared/safetensors.ts";
import type { Engine } from "./engines/engine.ts";
import { createEngine } from "./engines/registry.ts";
import { analyse } from "./tasks/analyse.ts";
import type { TrainingOf } from "./tasks/checkpoint.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./tasks/checkpoint.ts";
import { computeTile } from "./tasks/field.ts";
import { computePlaneTile } from "./tasks/plane-tile.ts";
import { progressOver } from "./tasks/progress.ts";
import type { ThreadReply, ThreadRequest } from "./tasks/thread-messages.ts";
import type { TrainOptions } from "./tasks/train.ts";
import { train } from "./tasks/train.ts";

export default function runTask(request: ThreadRequest, engineOf = createEngine): ThreadReply {
  const checkpoints = checkpointSender(request);
  try {
    const start = performance.now();
    const engine = engineOf(request.task.engine);
    const reply = compute(request, engine, checkpoints.send);
    return { ...reply, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    return { kind: "error", error: errorRecord(error), checkpoint: checkpoints.last() };
  }
}

function compute(
  request: ThreadRequest,
  engine: Engine,
  send: (bytes: Uint8Array<ArrayBuffer>) => void,
) {
  const { task, weights, checkpoints } = request;
  const progress = progressOver(request.progress);
  if (task.kind === "field") {
    const tools = { weights: decodeWeights(weights!), engine, progress };
    const isOverPlane = task.grid.plane !== undefined;
    const tile = isOverPlane
      ? computePlaneTile(task, request.data ?? null, tools)
      : computeTile(task, tools);
    return { kind: "field", tile } as const;
  }
  if (task.kind === "analysis") {
    const tools = { weights: decodeWeights(weights!), engine, progress };
    return { kind: "analysis", found: analyse(task, request.data ?? null, tools) } as const;
  }
  const options = checkpoints && trainOptions(checkpoints, { physics: task.physics, engine }, send);
  const { epochs = 0, from = 0 } = options?.resume ?? {};
  const { snapshots, epochSamples, ...rest } = train(task.physics, engine, {
    progress,
    data: request.data ?? null,
    initial: request.initial ? decodeWeights(request.initial) : null,
    ...options,
  });
  const blobs = snapshots.map(({ snapshot, epoch, weights }) => {
    const metadata = { cell: task.cell, snapshot: String(snapshot), epoch: String(epoch) };
    return { snapshot, epoch, bytes: encodeWeights(weights, { format: "pt", ...metadata }) };
  });
  const samples = (rest.epochs - epochs) * epochSamples - from;
  const computed = { epochs: samples / epochSamples, samples };
  return { kind: "train", trained: { ...rest, blobs }, computed } as const;
}

function trainOptions(
  { saved, everyMs }: NonNullable<ThreadRequest["checkpoints"]>,
  training: TrainingOf,
  send: (bytes: Uint8Array<ArrayBuffer>) => void,
): TrainOptions {
  return {
    resume: saved && decodeCheckpoint(saved, training),
    everyMs,
    save: (checkpoint) => send(encodeCheckpoint(checkpoint, training)),
  };
}

/**
 * Sends checkpoints to the main thread. The one that is made when the training is asked to stop goes with the reply
 * instead, because a message could arrive after the reply and be lost.
 */
function checkpointSender({ progress: buffer, checkpoints }: ThreadRequest) {
  const progress = progressOver(buffer);
  let last: Uint8Array<ArrayBuffer> | null = null;
  return {
    send(bytes: Uint8Array<ArrayBuffer>) {
      if (progress.isStopped()) last = bytes;
      else parentPort?.postMessage({ run: checkpoints!.run, bytes }, [bytes.buffer]);
    },
    last: () => last,
  };
}
