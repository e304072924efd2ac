/** A worker's thread with two poisonous tasks: a training that kills the process, a tile that always throws. */
import type { Task } from "../../../shared/messages.ts";
import type { ThreadReply, ThreadRequest } from "../../../worker/tasks/thread-messages.ts";
import runTask from "../../../worker/thread.ts";

export const ENGINE = "reference-f64.1";
export const KILLER = { width: 12, depth: 2, seed: 3 };
/** Of the networks with so many layers there is one. */
export const THROWER = { depth: 5 };
export const FAULT = "a fault of the engine";

export default function poisoned(request: ThreadRequest): ThreadReply {
  const { task } = request;
  if (isKiller(task)) process.kill(process.pid, "SIGKILL");
  if (isThrower(task)) throw new TypeError(FAULT);
  return runTask(request);
}

function isKiller(task: Task): boolean {
  if (task.kind !== "train") return false;
  const { network, seed } = task.physics;
  const { width, depth } = KILLER;
  return network.hidden[0] === width && network.hidden.length === depth && seed === KILLER.seed;
}

function isThrower(task: Task): boolean {
  if (task.kind !== "field" || task.tile.row + task.tile.column > 0) return false;
  return task.network.hidden.length === THROWER.depth;
}
