/** A worker's thread that cannot do two of the tasks: a training, and one tile of another network. */
import type { ThreadReply, ThreadRequest } from "../../../worker/tasks/thread-messages.ts";
import runTask from "../../../worker/thread.ts";

/** Width of the networks that it cannot train. */
export const UNTRAINABLE = 6;

export default function failSometimes(request: ThreadRequest): ThreadReply {
  const { task } = request;
  const isBad =
    task.kind === "train"
      ? task.physics.network.hidden[0] === UNTRAINABLE
      : task.tile.row > 0 && task.tile.column > 0;
  if (isBad) throw new TypeError("a fault of the engine");
  return runTask(request);
}
