import { StoppedError } from "../engines/stopped-error.ts";

/**
 * A few bytes that a busy thread shares with the main thread: how much of the work is done, and whether to stop.
 * A thread in a long computation cannot receive messages, but it can read these.
 */
export interface Progress {
  readonly buffer: SharedArrayBuffer;
  /** Its first element is not 0 once the thread was asked to stop; for native code, which reads it directly. */
  readonly stopFlag: Int32Array;
  /** The part of the work that is done, 0…1, in steps of 10⁻⁶. */
  get(): number;
  set(fraction: number): void;
  /** Asks the thread to stop when it next checks. */
  stop(): void;
  isStopped(): boolean;
  /** @throws StoppedError if the thread was asked to stop. */
  throwIfStopped(): void;
}

const STOP = 0;
const MILLIONTHS = 1;

export function progressOver(buffer = new SharedArrayBuffer(8)): Progress {
  const slots = new Int32Array(buffer);
  const isStopped = () => Atomics.load(slots, STOP) === 1;
  return {
    buffer,
    stopFlag: slots.subarray(STOP, STOP + 1),
    get: () => Atomics.load(slots, MILLIONTHS) / 1e6,
    set(fraction) {
      Atomics.store(slots, MILLIONTHS, Math.round(fraction * 1e6));
    },
    stop() {
      Atomics.store(slots, STOP, 1);
    },
    isStopped,
    throwIfStopped() {
      if (isStopped()) throw new StoppedError("asked to stop");
    },
  };
}
