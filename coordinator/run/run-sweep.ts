import { prepareAnalyses } from "./analyses.ts";
import { runBeside } from "./beside/run-beside.ts";
import { collect } from "./collect.ts";
import { prepareFields } from "./fields.ts";
import { handOut } from "./hand-out.ts";
import type { RunOptions } from "./run.ts";
import { createRun } from "./run.ts";

/**
 * Hands out every task of the plan whose result is not stored, and stores the results: a training
 * first, then at once its field tasks, which carry the weights' digest. Returns when every task has
 * a result or a dead letter.
 *
 * Only the store decides what is done: a result is acknowledged after it has been stored.
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
  const prepared = prepareFields(run).then(() => prepareAnalyses(run));
  runBeside(run);
  const collected = prepared.then(() => collect(run));
  try {
    await Promise.race([prepared.then(() => handOut(run)), collected.then(() => failed), failed]);
    for (const digest of run.contentOffers.keys()) {
      await run.transport.dropBlob(run.plan.sweep, digest);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    run.over.abort(new Error("the run is over"));
    // No one may still be writing when the store is next opened. The race has handled their errors.
    await run.analyses?.stop();
    await Promise.allSettled([prepared, collected]);
  }
}

/** A promise that can only reject. */
function rejection(): { promise: Promise<never>; reject(reason: unknown): void } {
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<never>((_, rejects) => {
    reject = rejects;
  });
  return { promise, reject };
}
