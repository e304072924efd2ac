/** How a task gets on the broker, and how everything about it is removed. */
import type { Task } from "../../messages.ts";
import { parseTask } from "../../messages.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { encodeJson, sealed } from "./envelope.ts";
import { STREAMS, subjects } from "./names.ts";
import { purge, storeOnce } from "./store-once.ts";
import { defaultQueue, openQueue } from "./sweep-queue.ts";

/** Queues a task, unless it is there already. @throws InvalidTaskError if it is not a task. */
export async function publishTask(state: CoordinatorState, task: Task): Promise<void> {
  parseTask(task);
  await openQueue(state, defaultQueue(state, task));
  state.open.set(task.id, task);
  await putTask(state, task);
}

/** Removes a task and its outcome, so that it can be published again. */
export async function forgetTask(state: CoordinatorState, task: TaskKey): Promise<void> {
  state.open.delete(task.id);
  await purgeTask(state, task);
}

/** Publishes a task whose message or result the broker has lost again, as if for the first time. */
export async function republishTask(state: CoordinatorState, task: Task): Promise<void> {
  await purgeTask(state, task);
  await putTask(state, task);
}

type TaskKey = Pick<Task, "id" | "sweep" | "engine">;

async function putTask({ broker, signal }: CoordinatorState, task: Task): Promise<void> {
  const payload = encodeJson(task);
  const subject = subjects.task(task.engine, task.sweep, task.id);
  await storeOnce(broker, { subject, payload, headers: sealed(payload) }, { signal });
}

async function purgeTask(state: CoordinatorState, { id, sweep, engine }: TaskKey): Promise<void> {
  const { broker, signal } = state;
  const note = subjects.state(sweep, id);
  const places = [
    { stream: STREAMS.tasks, filter: subjects.task(engine, sweep, id) },
    { stream: STREAMS.results, filter: subjects.result(sweep, id) },
    { stream: STREAMS.dead, filter: subjects.dead(sweep, id) },
    { stream: STREAMS.state, filter: note },
    { stream: STREAMS.state, filter: `${note}.>` },
  ];
  await Promise.all(places.map((place) => purge(broker, place, { signal })));
  state.seenDead.delete(id);
}
