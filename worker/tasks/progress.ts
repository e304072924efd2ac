import { StoppedError } from "../engines/stopped-error.ts";

/**
 * A few bytes that a busy thread and the main thread share: how far the work is, and whether to stop.
 * A thread in a long computation cannot answer messages, but it can look here.
 */
export interface Progress {
  readonly buffer: SharedArrayBuffer;
  /** Its first element is not 0 once it was asked to stop: for code that looks by itself. */
  readonly stopFlag: Int32Array;
  /** How far the work is, 0…1, in steps of 10⁻⁶. */
  get(): number;
  set(fraction: number): void;
  /** Asks the thread to stop at its next look. */
  stop(): void;
  isStopped(): boolean;
  /** @throws StoppedError if it was asked to stop. */
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
