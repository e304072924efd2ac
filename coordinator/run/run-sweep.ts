import { collect } from "./collect.ts";
import { prepareFields } from "./fields.ts";
import { handOut } from "./hand-out.ts";
import type { RunOptions } from "./run.ts";
import { createRun } from "./run.ts";

/**
 * Hands out every task of the plan whose result the store lacks, and stores what comes back: a
 * training first, then at once its field tasks, which carry the weights' digest. Returns when every
 * task has a result or a dead letter.
 *
 * Nothing but the store decides what is done: a result is acknowledged after it has been stored.
 *
 * @throws the signal's reason; StoreError when the store cannot be written; the transport's errors.
 */
export async function runSweep(options: RunOptions): Promise<void> {
  const { signal } = options;
  const { promise: failed, reject: fail } = rejection();
  const run = createRun(options, fail);
  const onAbort = () => fail(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  options.onFlight?.(() => run.topUp());
  const prepared = prepareFields(run);
  const collected = prepared.then(() => collect(run));
  try {
    await Promise.race([prepared.then(() => handOut(run)), collected.then(() => failed), failed]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    run.over.abort(new Error("the run is over"));
    // Whoever opens the store next must find nobody writing: the race has seen their errors.
    await Promise.allSettled([prepared, collected]);
  }
}

/** A promise that only ever rejects. */
function rejection(): { promise: Promise<never>; reject(reason: unknown): void } {
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<never>((_, rejects) => {
    reject = rejects;
  });
  return { promise, reject };
}
