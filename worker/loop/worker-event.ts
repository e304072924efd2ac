/** The events by which a worker reports its work, for metrics and for the terminal. */
import type { Task } from "../../shared/messages.ts";

/**
 * How a task ended on this worker:
 * - `done`: its result was stored, as the first
 * - `late`: another result of it was stored before
 * - `failed`: the engine threw, or a thread crashed
 * - `timeout`: it ran longer than `taskTimeoutMs`
 * - `invalid`: it was not a task for this engine
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

/** A task from when a thread gets it until its lease ends. */
export interface WorkerRun {
  readonly task: Task;
  /** Whether it continues from a checkpoint: then part of its progress was made elsewhere. */
  isResumed: boolean;
  /** The part that is done, 0…1. */
  progress(): number;
  /** How long its thread has had it. */
  seconds(): number;
}

/** What was computed here; of a task that failed, the part before its end. */
export interface Computed {
  /** Estimated floating-point operations. */
  readonly operations: number;
  /** Grid points of a field. */
  readonly points: number;
  /** Samples trained on, each once an epoch. */
  readonly samples: number;
}

export type WorkerEvent =
  /** A thread got a leased task; `waitSeconds` is how long it was free before. */
  | { readonly kind: "leased"; readonly run: WorkerRun; readonly waitSeconds: number }
  /** Its thread is free for the next one; the task ends when its result is handed in. */
  | { readonly kind: "computed"; readonly run: WorkerRun }
  | {
      readonly kind: "ended";
      readonly run: WorkerRun;
      readonly outcome: TaskOutcome;
      readonly computed: Computed;
    }
  /** A checkpoint of a training was saved. */
  | { readonly kind: "checkpoint" };
