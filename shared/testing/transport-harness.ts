/** What the tests of the transports' contract have in common. */
import type { LeasePolicy, Outcome, Transport } from "../transport/transport.ts";

/** A transport under test. */
export interface Harness {
  readonly transport: Transport;
  /** Has this much time pass for the transport's leases and back-offs. */
  passTime(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** The contract as it is tested for one transport. */
export interface TransportContract {
  /** Registers a test; each gets a transport of its own. */
  promise(claim: string, body: (harness: Harness) => Promise<void>): void;
  readonly policy: LeasePolicy;
  /** Arguments with which worker `w1` asks for a task of engine `test.1`. */
  readonly worker: {
    readonly worker: string;
    readonly engine: string;
    readonly signal: AbortSignal;
  };
}

/** Fails a test that waits for too long. */
export function deadline(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

/** The next outcomes of sweep `s`. */
export async function takeOutcomes(
  transport: Transport,
  count: number,
  { ack = true } = {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const outcome of transport.outcomes("s", { signal: deadline() })) {
    outcomes.push(outcome);
    if (ack) await outcome.ack();
    if (outcomes.length === count) break;
  }
  return outcomes;
}

/** Outcomes until they end. */
export async function allOutcomes(outcomes: AsyncIterable<Outcome>): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all;
}

/** Waits until a condition gives something. */
export async function until<T>(condition: () => Promise<T | null>): Promise<T> {
  const signal = deadline();
  for (;;) {
    const found = await condition();
    if (found !== null) return found;
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
