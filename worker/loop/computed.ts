import type { ThreadReply } from "../tasks/thread-messages.ts";
import type { Computed, WorkerRun } from "./worker-event.ts";

/** What a run computed on this worker. @param reply null if its thread did not reply. */
export function computedBy(run: WorkerRun, reply: ThreadReply | null): Computed {
  const { task, isResumed } = run;
  if (reply === null || reply.kind === "error") {
    // A resumed training does not say how much of its progress was made here.
    return { operations: isResumed ? 0 : run.progress() * task.work, points: 0, samples: 0 };
  }
  if (task.kind === "field") {
    const { columns, rows } = task.tile;
    return { operations: task.work, points: columns * rows, samples: 0 };
  }
  if (task.kind === "analysis") return { operations: task.work, points: 0, samples: 0 };
  const { epochs, samples } = (reply as Extract<ThreadReply, { kind: "train" }>).computed;
  const planned = task.physics.training.epochs;
  const operations = planned === 0 ? 0 : (task.work * epochs) / planned;
  return { operations, points: 0, samples };
}
