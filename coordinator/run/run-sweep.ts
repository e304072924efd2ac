import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../../shared/identity.ts";
import type { DeadLetter, FieldResult, TaskResult, TrainResult } from "../../shared/messages.ts";
import type { CoordinatorTransport, Outcome } from "../../shared/transport/transport.ts";
import type { Cell, Plan } from "../plan/plan.ts";
import type { CellRecord, FieldRecord } from "../store/cell-record.ts";
import { fieldRecord } from "../store/cell-record.ts";
import { readFieldArray } from "../store/field-zarr.ts";
import { storeError } from "../store/files.ts";
import { fieldFolder, weightsFile } from "../store/layout.ts";
import type { FieldState, StoreState } from "../store/scan.ts";
import { scanFields } from "../store/scan.ts";
import type { Store } from "../store/store.ts";
import { readRecord } from "../store/store.ts";
import type { Job, OpenField } from "./backlog.ts";
import { createBacklog } from "./backlog.ts";
import { fieldStatistics } from "./field-statistics.ts";
import { resultFault } from "./result-fault.ts";

export interface RunOptions {
  readonly plan: Plan;
  readonly store: Store;
  /** What a thorough scan found in the store. */
  readonly state: StoreState;
  readonly transport: CoordinatorTransport;
  /** How many tasks may be published and without an outcome at a time, as things are now. */
  flight(): number;
  /** Calls back whenever `flight` may have grown; tasks under way may take hours. */
  readonly onFlight?: ((listener: () => void) => void) | undefined;
  /** Aborts: no more tasks, and the promise rejects with its reason. What is stored stays. */
  readonly signal: AbortSignal;
  onEvent(event: RunEvent): void;
}

/** Enough to hide the way to a distant broker; of 10⁵ at a time the requests alone would fill a gigabyte. */
const MOST_PUBLISHING = 256;

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
  /** An outcome came of a task that is done with: a slow worker's, or one that was stored just before a restart. */
  | { readonly kind: "late"; readonly task: string };

/**
 * Hands out every task of the plan whose result the store lacks, and stores what comes back: a
 * training first, then at once its field tasks, which carry the weights' digest. Returns when every
 * task has a result or a dead letter.
 *
 * Nothing but the store decides what is done: a result is acknowledged after it has been stored.
 *
 * @throws the signal's reason; StoreError when the store cannot be written; the transport's errors.
 */
export async function runSweep(options: RunOptions): Promise<void> {
  const { plan, store, state, transport, onEvent } = options;
  const backlog = createBacklog(plan, state);
  const jobs = new Map<string, Job>(); // handed out, and without an outcome in the store
  let publishing = 0;
  const offers = new WeakMap<OpenField, Promise<void>>();
  const over = new AbortController(); // aborted: nothing more is begun
  let topUp = () => {};
  let fail: (reason: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const onAbort = () => fail(options.signal.reason);

  /** Keeps `flight` jobs going; resolves when none is left. */
  function workOff(): Promise<void> {
    return new Promise((resolve) => {
      topUp = () => {
        if (over.signal.aborted) return;
        const flight = options.flight();
        while (jobs.size < flight && publishing < MOST_PUBLISHING) {
          const job = backlog.next();
          if (job === undefined) break;
          begin(job);
        }
        if (jobs.size + publishing === 0) resolve();
      };
      topUp();
    });
  }

  function begin(job: Job): void {
    jobs.set(job.task.id, job);
    publishing++;
    publish(job).then(() => {
      publishing--;
      topUp();
    }, fail);
  }

  async function publish(job: Job): Promise<void> {
    if (job.kind === "field") await offerWeights(job);
    over.signal.throwIfAborted();
    // An earlier coordinator's task may have ended while its weights were put.
    if (jobs.has(job.task.id)) await transport.publish(job.task);
  }

  /** Puts a field's weights where workers get them, once, before the first of its tiles is published. */
  function offerWeights({ cell, field }: Extract<Job, { kind: "field" }>): Promise<void> {
    let offer = offers.get(field);
    if (offer === undefined) {
      offer = putWeights(join(store.directory, weightsFile(cell.id, field.state.snapshot)));
      offers.set(field, offer);
    }
    return offer;
  }

  async function putWeights(path: string): Promise<void> {
    const bytes = await readFile(path).catch((error) => {
      throw storeError("read", path, error);
    });
    await transport.putBlob(plan.sweep, bytes);
  }

  async function collect(): Promise<void> {
    for await (const outcome of transport.outcomes(plan.sweep, { signal: over.signal })) {
      const id = outcome.kind === "dead" ? outcome.letter.task : outcome.result.task;
      const job = jobs.get(id) ?? adopt(id);
      if (job === undefined) await noteLate(id);
      else await keep(job, outcome);
      await outcome.ack();
      jobs.delete(id);
      topUp();
    }
  }

  /** Takes up a task that an earlier coordinator published, and whose outcome waited for us. */
  function adopt(task: string): Job | undefined {
    const job = backlog.take(task);
    if (job !== undefined) jobs.set(task, job);
    return job;
  }

  /** It came second, or twice: what is stored stays. */
  async function noteLate(task: string): Promise<void> {
    await store.journal({ event: "late", task });
    onEvent({ kind: "late", task });
  }

  async function keep(job: Job, outcome: Outcome): Promise<void> {
    if (outcome.kind === "dead") await keepDeadLetter(job, outcome.letter);
    else await keepResult(job, outcome.result);
    if (job.kind !== "field") return;
    const tile = outcome.kind === "result" ? (outcome.result as FieldResult) : null;
    await closeIfLast(job.cell, job.field, tile);
  }

  async function keepResult(job: Job, result: TaskResult): Promise<void> {
    const { worker, attempt, seconds } = result.provenance;
    const fault = resultFault(job.task, result);
    if (fault !== null) {
      const { id: task, sweep, cell, kind } = job.task;
      const reason = { name: "InvalidResult", message: fault };
      await keepDeadLetter(job, { task, sweep, cell, kind, reason, worker, attempts: attempt });
      return;
    }
    const start = performance.now();
    if (job.kind === "train") await keepTraining(job.cell, result as TrainResult);
    else await keepTile(job, result as FieldResult);
    await store.journal({ event: "stored", task: job.task.id, worker, attempt, seconds });
    const storeSeconds = (performance.now() - start) / 1000;
    onEvent({ kind: "stored", job, seconds, attempt, storeSeconds });
  }

  async function keepDeadLetter(job: Job, found: DeadLetter): Promise<void> {
    const { sweep, cell, kind } = job.task; // who could not read the task could not tell
    const letter = { ...found, sweep, cell, kind };
    await store.putDeadLetter(letter);
    const { worker, attempts, reason } = letter;
    await store.journal({
      event: "dead",
      task: job.task.id,
      worker,
      attempts,
      reason: reason.message,
    });
    onEvent({ kind: "dead", job, letter });
    if (job.kind === "field") job.field.pending--;
  }

  async function keepTraining(cell: Cell, result: TrainResult): Promise<void> {
    const blobs = new Map<string, Uint8Array>();
    for (const { digest } of result.weights) {
      const blob = await transport.getBlob(plan.sweep, digest, { signal: over.signal });
      if (digestOf(blob) !== digest) throw new Error(`blob ${digest} has other content`);
      blobs.set(digest, blob);
    }
    const record = await store.putTraining(cell, result, blobs);
    // A cell trained again, because its record was lost, may have fields already.
    const { directory } = store;
    const fields = await scanFields(plan, record, { directory, thorough: true }, []);
    await repair(fields);
    for (const field of fields) await open(cell, field);
    const needed = new Set(fields.filter(isOpen).map(({ description }) => description.weights));
    for (const digest of blobs.keys())
      if (!needed.has(digest)) await transport.dropBlob(plan.sweep, digest);
    onEvent({ kind: "trained", cell, record });
  }

  async function keepTile(job: Extract<Job, { kind: "field" }>, result: FieldResult) {
    await store.putTile(job.field.state, plan.field!.id, job.task, result);
    job.field.state.tiles[job.tile] = 1;
    job.field.pending--;
  }

  async function open(cell: Cell, state: FieldState): Promise<void> {
    await closeIfLast(cell, backlog.open(cell, state));
  }

  /** With a field's last tile come its statistics, and its weights are needed no more. */
  async function closeIfLast(
    cell: Cell,
    { state, pending }: OpenField,
    last: FieldResult | null = null,
  ): Promise<void> {
    if (pending > 0) return;
    const { snapshot, description, tiles } = state;
    await transport.dropBlob(plan.sweep, description.weights);
    if (isOpen(state)) return;
    const isWhole = tiles.length === 1; // nothing to read that is not at hand
    await noteStatistics(cell, snapshot, (isWhole && last) || (await readField(cell, snapshot)));
  }

  async function readField(cell: Cell, snapshot: FieldState["snapshot"]): Promise<FieldValues> {
    const folder = join(store.directory, fieldFolder(cell.id, snapshot, plan.field!.id));
    const lambda1 = await readFieldArray(folder, "lambda1");
    const output = await readFieldArray(folder, "output");
    return { lambda1, output };
  }

  async function noteStatistics(
    cell: Cell,
    snapshot: FieldState["snapshot"],
    { lambda1, output }: FieldValues,
  ): Promise<void> {
    const { id, grid } = plan.field!;
    const record = await readRecord(store.directory, cell.id);
    if (record === null) return;
    const statistics = fieldStatistics(lambda1, output, grid.points);
    const field = { snapshot, field: id, statistics };
    await store.putFieldRecord(record, field);
    onEvent({ kind: "mapped", cell, field });
  }

  function hasStatistics(record: CellRecord, { snapshot }: FieldState): boolean {
    return fieldRecord(record, snapshot, plan.field!.id) !== undefined;
  }

  async function repair(fields: readonly FieldState[]): Promise<void> {
    for (const field of fields) {
      if (field.isStale || field.metadata.size > 0) await store.repair(field, plan.field!.id);
    }
  }

  /** Mends what the scan found wanting, and queues the tiles that lack. */
  async function prepare(): Promise<void> {
    for (const { cell, record, fields } of state.cells) {
      over.signal.throwIfAborted();
      await repair(fields);
      for (const field of fields) {
        if (isOpen(field)) backlog.open(cell, field);
        else if (record !== null && !hasStatistics(record, field)) {
          await noteStatistics(cell, field.snapshot, await readField(cell, field.snapshot));
        }
      }
    }
  }

  options.signal.throwIfAborted();
  options.signal.addEventListener("abort", onAbort, { once: true });
  options.onFlight?.(() => topUp());
  const prepared = prepare();
  const collected = prepared.then(collect);
  try {
    await Promise.race([prepared.then(workOff), collected.then(() => failed), failed]);
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    over.abort(new Error("the run is over"));
    // Whoever lets go of the store next must be the last to write: the race has seen their errors.
    await Promise.allSettled([prepared, collected]);
  }
}

/** Arrays of a whole field. */
interface FieldValues {
  readonly lambda1: Float32Array;
  readonly output: Float32Array;
}

function isOpen({ tiles }: FieldState): boolean {
  return tiles.includes(0);
}
