/** What runs in a piscina thread: one task at a time, from start to end. */
import type { ErrorRecord } from "../shared/errors.ts";
import { errorRecord } from "../shared/errors.ts";
import type { Task, TrainResult } from "../shared/messages.ts";
import { decodeWeights, encodeWeights } from "../shared/safetensors.ts";
import { createEngine } from "./engines/registry.ts";
import { progressOver } from "./progress.ts";
import type { Tile } from "./tasks/field.ts";
import { computeTile } from "./tasks/field.ts";
import { train } from "./tasks/train.ts";

export interface ThreadRequest {
  readonly task: Task;
  /** The weights' blob for a field task. */
  readonly weights: Uint8Array | null;
  readonly progress: SharedArrayBuffer;
}

/** Errors come back as records: a class does not survive the way out of a thread. */
export type ThreadReply =
  | { readonly kind: "train"; readonly seconds: number; readonly trained: ThreadTraining }
  | { readonly kind: "field"; readonly seconds: number; readonly tile: Tile }
  | { readonly kind: "error"; readonly error: ErrorRecord };

export interface ThreadTraining
  extends Pick<TrainResult, "status" | "reason" | "epochs" | "history"> {
  /** Each snapshot's weights as a safetensors blob. */
  readonly blobs: readonly {
    readonly snapshot: number | "end";
    readonly epoch: number;
    readonly bytes: Uint8Array;
  }[];
}

export default function runTask(request: ThreadRequest): ThreadReply {
  try {
    const start = performance.now();
    const reply = compute(request);
    return { ...reply, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    return { kind: "error", error: errorRecord(error) };
  }
}

function compute({ task, weights, progress: buffer }: ThreadRequest) {
  const progress = progressOver(buffer);
  const engine = createEngine(task.engine);
  if (task.kind === "field") {
    const tile = computeTile(task, decodeWeights(weights!), engine, progress);
    return { kind: "field", tile } as const;
  }
  const { snapshots, ...rest } = train(task.physics, engine, progress);
  const blobs = snapshots.map(({ snapshot, epoch, weights }) => {
    const metadata = { cell: task.cell, snapshot: String(snapshot), epoch: String(epoch) };
    return { snapshot, epoch, bytes: encodeWeights(weights, { format: "pt", ...metadata }) };
  });
  return { kind: "train", trained: { ...rest, blobs } } as const;
}
