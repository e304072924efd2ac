/** A thread that does what the task's snapshot number says: for tests of the worker. */
import { progressOver } from "../../tasks/progress.ts";
import type { ThreadReply, ThreadRequest } from "../../tasks/thread-messages.ts";

export const MISBEHAVIOURS = {
  none: 0,
  throw: 1,
  exit: 2,
  spin: 3,
  spinUntilAsked: 4,
  refuse: 5,
  slow: 6,
};

export default function misbehave({ task, progress: buffer }: ThreadRequest): ThreadReply {
  if (task.kind !== "field") throw new TypeError("expected a field task");
  const progress = progressOver(buffer);
  switch (task.snapshot) {
    case MISBEHAVIOURS.throw:
      throw new TypeError("a fault of the program");
    case MISBEHAVIOURS.exit:
      process.exit(1);
      break;
    case MISBEHAVIOURS.spin:
      progress.set(0.5);
      for (;;);
    case MISBEHAVIOURS.spinUntilAsked:
      progress.set(0.25);
      for (;;) progress.throwIfStopped();
    case MISBEHAVIOURS.slow:
      progress.set(0.5);
      for (const end = performance.now() + 100; performance.now() < end; );
      break;
    case MISBEHAVIOURS.refuse:
      return { kind: "error", error: { name: "InvalidTaskError", message: "not for me" } };
  }
  const one = () => new Float32Array(1);
  return { kind: "field", seconds: 0, tile: { lambda1: one(), direction: one(), output: one() } };
}
