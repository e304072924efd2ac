/** A thread whose first delivery of a training is interrupted as the cell's seed says; the others are not. */
import { createEngine } from "../../engines/registry.ts";
import { progressOver } from "../../tasks/progress.ts";
import type { ThreadReply, ThreadRequest } from "../../tasks/thread-messages.ts";
import { observedEngine } from "../../testing/observed-engine.ts";
import runTask from "../../thread.ts";

export const INTERRUPTIONS = {
  none: 0,
  /** Waits until it is asked to stop. */
  hold: 1,
  /** Waits, and does not stop. */
  hang: 2,
  /** Ends the thread. */
  exit: 3,
};

/** After so many slices. */
export const INTERRUPTED_AFTER = 4;

/** What a thread that waits tells as its progress. */
export const WAITING = 0.987654;

/** Its `seconds` are the slices that this delivery trained. */
export default function interrupted(request: ThreadRequest): ThreadReply {
  const { task, checkpoints } = request;
  const seed = task.kind === "train" ? task.physics.seed : INTERRUPTIONS.none;
  const isFirst = checkpoints?.saved === null;
  let slices = 0;
  const reply = runTask(request, (id) => {
    // Slices of one batch.
    return observedEngine({ ...createEngine(id), callWork: 1e3 }, (slice) => {
      slices = slice;
      if (isFirst && slice === INTERRUPTED_AFTER) interrupt(seed, request);
    });
  });
  return reply.kind === "train" ? { ...reply, seconds: slices } : reply;
}

function interrupt(seed: number, { progress: buffer }: ThreadRequest): void {
  const progress = progressOver(buffer);
  if (seed === INTERRUPTIONS.exit) process.exit(1);
  if (seed === INTERRUPTIONS.none) return;
  progress.set(WAITING);
  while (seed === INTERRUPTIONS.hang || !progress.isStopped());
}
