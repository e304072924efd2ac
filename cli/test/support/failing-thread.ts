/** A worker's thread that cannot do two of the tasks: a training, and one tile of another network. */
import type { Task } from "../../../shared/messages.ts";
import type { ThreadReply, ThreadRequest } from "../../../worker/tasks/thread-messages.ts";
import runTask from "../../../worker/thread.ts";

/** Width of the networks that it cannot train. */
export const UNTRAINABLE = 6;

export default function failSometimes(request: ThreadRequest): ThreadReply {
  if (isBad(request.task)) throw new TypeError("a fault of the engine");
  return runTask(request);
}

function isBad(task: Task): boolean {
  if (task.kind === "train") return task.physics.network.hidden[0] === UNTRAINABLE;
  return task.kind === "field" && task.tile.row > 0 && task.tile.column > 0;
}
