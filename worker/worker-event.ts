/** What a worker tells of its work, for those who count it. */
import type { Task } from "../shared/messages.ts";

/**
 * How a task ended here:
 * - `done`: its result was stored first
 * - `late`: another's was
 * - `failed`: the engine threw, or a thread crashed
 * - `timeout`: it ran longer than `taskTimeoutMs`
 * - `invalid`: it was no task for this engine
 * - `lost`: its lease ended, or its sweep was cancelled
 * - `returned`: given back, because the worker stops
 */
export const TASK_OUTCOMES = [
  "done",
  "late",
  "failed",
  "timeout",
  "invalid",
  "lost",
  "returned",
] as const;

export type TaskOutcome = (typeof TASK_OUTCOMES)[number];

/** A task while a thread has it. */
export interface WorkerRun {
  readonly task: Task;
  /** Whether it goes on from a checkpoint: then part of its progress was made elsewhere. */
  isResumed: boolean;
  /** 0…1. */
  progress(): number;
  /** Since it was leased. */
  seconds(): number;
}

/** What was computed here; of a task that failed, as far as it came. */
export interface Computed {
  /** Estimated floating-point operations. */
  readonly operations: number;
  /** Grid points of a field. */
  readonly points: number;
  /** Samples trained on, each once an epoch. */
  readonly samples: number;
}

export type WorkerEvent =
  /** A thread waited so long for its task. */
  | { readonly kind: "leased"; readonly run: WorkerRun; readonly waitSeconds: number }
  | {
      readonly kind: "ended";
      readonly run: WorkerRun;
      readonly outcome: TaskOutcome;
      readonly computed: Computed;
    }
  | { readonly kind: "checkpoint" };
