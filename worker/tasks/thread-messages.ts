/** What the main thread and a thread that computes send to each other. */

import type { PackedFindings } from "../../shared/analyses/pack.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import type { ErrorRecord } from "../../shared/errors.ts";
import type { Task, TrainResult } from "../../shared/messages.ts";
import type { Tile } from "./field.ts";

/** One task for a thread. */
export interface ThreadRequest {
  readonly task: Task;
  /** The blob of weights of a field or an analysis; null for a training. */
  readonly weights: Uint8Array | null;
  /** What a training or an analysis reads, in memory that threads share, if it was read from files. */
  readonly data?: FileSamples | null;
  /** The blob of the weights that a training starts from, if they are imported. */
  readonly initial?: Uint8Array | null;
  /** The memory of its `Progress`. */
  readonly progress: SharedArrayBuffer;
  /** For a training that is to save checkpoints. */
  readonly checkpoints?: {
    /** Sent back with every checkpoint, which shows to which training it belongs. */
    readonly run: number;
    /** The last one that an earlier delivery saved; null if none. */
    readonly saved: Uint8Array | null;
    readonly everyMs: number;
  };
}

/** Sent while a training computes. */
export interface ThreadCheckpoint {
  /** The `run` of its request. */
  readonly run: number;
  readonly bytes: Uint8Array;
}

/** Sent at the end. Errors are records: an error's class is lost on the way out of a thread. */
export type ThreadReply =
  | {
      readonly kind: "train";
      readonly seconds: number;
      readonly trained: ThreadTraining;
      /** What was computed here, without what a checkpoint brought: epochs, and samples, each once an epoch. */
      readonly computed: { readonly epochs: number; readonly samples: number };
    }
  | { readonly kind: "field"; readonly seconds: number; readonly tile: Tile }
  | { readonly kind: "analysis"; readonly seconds: number; readonly found: PackedFindings }
  | {
      readonly kind: "error";
      readonly error: ErrorRecord;
      /** The last checkpoint of a training that was asked to stop; null if it had none worth saving. */
      readonly checkpoint?: Uint8Array | null;
    };

export interface ThreadTraining
  extends Pick<TrainResult, "status" | "reason" | "epochs" | "history"> {
  /** Each snapshot's weights as a safetensors blob. */
  readonly blobs: readonly {
    readonly snapshot: number | "end";
    readonly epoch: number;
    readonly bytes: Uint8Array;
  }[];
}
