/** What the parts of a sweep's run share. */
import type { DeadLetter } from "../../shared/messages.ts";
import type { CoordinatorTransport } from "../../shared/transport/transport.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import type { CellRecord, FieldRecord } from "../store/cell-record.ts";
import type { StoreState } from "../store/scan.ts";
import type { Store } from "../store/store.ts";
import type { Analyses } from "./analyses.ts";
import { createAnalyses } from "./analyses.ts";
import type { Backlog, Job } from "./backlog.ts";
import { createBacklog } from "./backlog.ts";
import type { WeightsInUse } from "./weights-in-use.ts";

export interface RunOptions {
  readonly plan: Plan;
  readonly store: Store;
  /** What a thorough scan found in the store. */
  readonly state: StoreState;
  readonly transport: CoordinatorTransport;
  /** How many tasks may at present be published and without an outcome at the same time. */
  flight(): number;
  /** Calls the listener whenever `flight` may have grown; running tasks may take hours. */
  readonly onFlight?: ((listener: () => void) => void) | undefined;
  /** Aborts: no more tasks, and the run rejects with its reason. What is stored stays. */
  readonly signal: AbortSignal;
  onEvent(event: RunEvent): void;
}

export type RunEvent =
  /** A result is in the store. Times: in the worker's thread; to check and store it here. */
  | {
      readonly kind: "stored";
      readonly job: Job;
      readonly seconds: number;
      readonly attempt: number;
      readonly storeSeconds: number;
    }
  /** A training is in the store; a diverged one will have no fields. */
  | { readonly kind: "trained"; readonly cell: Cell; readonly record: CellRecord }
  /** A field is in the store, with its statistics. */
  | { readonly kind: "mapped"; readonly cell: Cell; readonly field: FieldRecord }
  /** A task was given up. */
  | { readonly kind: "dead"; readonly job: Job; readonly letter: DeadLetter }
  /** Another outcome of a task that has one: from a slow worker, or stored just before a restart. */
  | { readonly kind: "late"; readonly task: string };

/** The state of a run. */
export interface Run extends RunOptions {
  readonly backlog: Backlog;
  /** Published, or about to be, and without an outcome; by task id. */
  readonly jobs: Map<string, Job>;
  /** How many of them are being published. */
  publishing: number;
  /** How many outcomes are being stored. */
  storing: number;
  /** Weights that workers may need. */
  readonly weights: WeightsInUse;
  /** Analyses and what they wait for; null if the plan has none. */
  readonly analyses: Analyses | null;
  /** Uploads of the data set, before the first task that may need it, and of imported networks; by digest. */
  readonly contentOffers: Map<string, Promise<void>>;
  /** Once aborted, nothing more is started. */
  readonly over: AbortController;
  /** Hands out more tasks, if `flight` allows; set while there are some to hand out. */
  topUp(): void;
  /** Ends the run with an error. */
  fail(reason: unknown): void;
}

export function createRun(options: RunOptions, fail: (reason: unknown) => void): Run {
  return {
    ...options,
    backlog: createBacklog(options.plan, options.state),
    jobs: new Map(),
    publishing: 0,
    storing: 0,
    weights: new Map(),
    analyses: options.plan.analyses.length === 0 ? null : createAnalyses(),
    contentOffers: new Map(),
    over: new AbortController(),
    topUp() {},
    fail,
  };
}
