import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Task } from "../messages.ts";
import { parseTask } from "../messages.ts";
import { createCondition } from "./condition.ts";
import { dropBlob, getBlob, putBlob } from "./local-blobs.ts";
import { nextLease } from "./local-delivery.ts";
import { forgetOutcome, readOutcomes } from "./local-outcomes.ts";
import { enqueue, removeTask } from "./local-queue.ts";
import type { LocalState, OpenTask } from "./local-state.ts";
import { depthOf, runningTasks, workerStatuses } from "./local-status.ts";
import type { LeasePolicy, Transport } from "./transport.ts";
import { leasePolicy } from "./transport.ts";

interface LocalTransportOptions {
  readonly policy?: LeasePolicy;
  readonly clock?: Clock;
}

/** Tasks and results within one process: what `ftle run` uses on one machine. */
export function localTransport(options: LocalTransportOptions = {}): Transport {
  const state = createState(options);
  return {
    publish: async (task) => publish(state, task),
    outcomes: (sweep, { signal }) => readOutcomes(state, sweep, { signal }),
    cancel: async (sweep) => cancel(state, sweep),
    forget: async (task) => forget(state, task),
    depth: async (sweep) => depthOf(state, sweep),
    running: async (sweep) => runningTasks(state, sweep),
    lease: (wanted) => nextLease(state, wanted),
    async announce(profile) {
      state.workers.set(profile.name, { ...profile, since: state.clock.now() });
    },
    workers: async () => workerStatuses(state),
    putBlob: async (sweep, bytes) => putBlob(state, sweep, bytes),
    getBlob: async (sweep, digest) => getBlob(state, sweep, digest),
    dropBlob: async (sweep, digest) => dropBlob(state, sweep, digest),
    stop: async () => stop(state),
  };
}

function createState({
  policy = leasePolicy,
  clock = systemClock,
}: LocalTransportOptions): LocalState {
  return {
    policy,
    clock,
    open: new Map(),
    queue: [],
    taskQueued: createCondition(),
    turns: 0,
    servedAt: new Map(),
    settled: new Map(),
    outcomes: new Map(),
    outcomeAdded: createCondition(),
    blobs: new Map(),
    workers: new Map(),
    isStopped: false,
  };
}

/** @throws InvalidTaskError if the message is not a task. */
function publish(state: LocalState, message: Task): void {
  const task = parseTask(message);
  if (state.open.has(task.id) || state.settled.get(task.sweep)?.has(task.id)) return;
  const entry: OpenTask = {
    task,
    deliveries: 0,
    checkpoint: null,
    lease: null,
    stopBackoff() {},
  };
  state.open.set(task.id, entry);
  enqueue(state, entry);
}

function cancel(state: LocalState, sweep: string): void {
  for (const entry of [...state.open.values()]) {
    if (entry.task.sweep === sweep) removeTask(state, entry);
  }
  state.settled.delete(sweep);
  state.outcomes.delete(sweep);
  state.blobs.delete(sweep);
  state.servedAt.delete(sweep);
}

function forget(state: LocalState, task: Pick<Task, "id" | "sweep">): void {
  const entry = state.open.get(task.id);
  if (entry !== undefined) removeTask(state, entry);
  forgetOutcome(state, task);
}

function stop(state: LocalState): void {
  state.isStopped = true;
  state.taskQueued.notifyAll();
  state.outcomeAdded.notifyAll();
  for (const entry of [...state.open.values()]) removeTask(state, entry);
}
