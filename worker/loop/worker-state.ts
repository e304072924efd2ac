/** The state of a running worker, which its loops and the runs of its tasks share. */
import type { LimitFunction } from "p-limit";
import type { Piscina } from "piscina";
import type { Clock } from "../../shared/clock.ts";
import type { WorkerTransport } from "../../shared/transport/transport.ts";
import type { ThreadReply, ThreadRequest } from "../tasks/thread-messages.ts";
import type { CheckpointSaver } from "./checkpoint-saver.ts";
import type { DataSets } from "./data-sets.ts";
import type { Pace } from "./pace.ts";
import type { WorkerEvent } from "./worker-event.ts";

export interface WorkerState {
  readonly transport: WorkerTransport;
  /** Names the worker in provenance and status. */
  readonly name: string;
  /** Id of the engine whose tasks it takes. */
  readonly engine: string;
  /** A task that takes longer is stopped and counts as failed; infinite for no limit. */
  readonly taskTimeoutMs: number;
  /** Time between two extensions of a lease, each of which reports the task's progress. */
  readonly extendEveryMs: number;
  /** Time between two checkpoints of a training. */
  readonly checkpointEveryMs: number;
  readonly clock: Clock;
  readonly onEvent: (event: WorkerEvent) => void;
  /** The threads that compute. */
  readonly pool: Piscina<ThreadRequest, ThreadReply>;
  /** The samples of data sets from files. */
  readonly dataSets: DataSets;
  /** How long tasks take here. */
  readonly pace: Pace;
  /** Runs tasks that may have killed a process, one at a time. */
  readonly suspects: LimitFunction;
  /** By the number of each running training: saves the checkpoints that its thread sends. */
  readonly savers: Map<number, CheckpointSaver>;
  /** How many trainings have begun, which is also the number of the latest. */
  trainings: number;
  /** Aborted when the worker is to take no more tasks. */
  readonly stopTaking: AbortController;
  /** Aborted when the worker is to give back the tasks that run. */
  readonly stopRunning: AbortController;
}
