/** A sweep's outcomes as the coordinator gets them, while it watches that the broker still has the tasks. */
import type { Outcome } from "../transport.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { prepareStreams } from "./lost-streams.ts";
import { outcomeReader } from "./outcome-reader.ts";
import { watchSweep } from "./stalled-tasks.ts";

/** Ends when the caller's signal aborts or the transport stops. @throws BrokerResetError. */
export async function* sweepOutcomes(
  state: CoordinatorState,
  sweep: string,
  options: { signal: AbortSignal },
): AsyncGenerator<Outcome> {
  const { broker, blobs, seenDead } = state;
  await prepareStreams(state).catch((error) => {
    if (!state.signal.aborted) throw error;
  });
  const reading = linkedAbort([options.signal, state.signal]);
  const { signal } = reading;
  const reader = outcomeReader({ broker, blobs, sweep, signal });
  let count = 0;
  watchSweep(state, { sweep, signal, outcomeCount: () => count }).catch(reader.fail);
  try {
    for await (const outcome of reader) {
      if (outcome.kind === "dead" && seenDead.has(outcome.letter.task)) continue;
      count++;
      yield withBookkeeping(state, sweep, outcome);
    }
  } finally {
    reading.end();
    await reader.close();
  }
}

/** An acknowledged task is no longer open, and its dead letter is not delivered again. */
function withBookkeeping(
  { open, seenDead }: CoordinatorState,
  sweep: string,
  outcome: Outcome,
): Outcome {
  const { kind } = outcome;
  if (kind === "dead") {
    const { letter } = outcome;
    const ack = async () => {
      open.delete(letter.task);
      seenDead.set(letter.task, sweep);
      await outcome.ack();
    };
    return { kind, letter, ack };
  }
  const { result } = outcome;
  const ack = async () => {
    open.delete(result.task);
    await outcome.ack();
  };
  return { kind, result, ack };
}

/** A signal that aborts with the first of several, or with `end`, which also removes the listeners from them. */
function linkedAbort(signals: readonly AbortSignal[]): { signal: AbortSignal; end(): void } {
  const linked = new AbortController();
  const abort = () => linked.abort(signals.find(({ aborted }) => aborted)?.reason);
  for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
  if (signals.some(({ aborted }) => aborted)) abort();
  return {
    signal: linked.signal,
    end() {
      for (const signal of signals) signal.removeEventListener("abort", abort);
      linked.abort();
    },
  };
}
