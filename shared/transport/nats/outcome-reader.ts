/** Reads a sweep's results and dead letters from the broker as they come. */
import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import type { Outcome } from "../transport.ts";
import { acknowledgedResults } from "./acknowledged-results.ts";
import type { BlobStore } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import { STREAMS, subjects } from "./names.ts";
import { blobIn, letterIn, resultIn } from "./outcome-message.ts";
import { pause } from "./retry.ts";

export interface OutcomeReader extends AsyncIterable<Outcome> {
  /** Has the iteration throw an error. */
  fail(error: unknown): void;
  /** Ends the iteration, and removes acknowledged results from the broker. */
  close(): Promise<void>;
}

export interface OutcomeReaderOptions {
  readonly broker: Broker;
  readonly blobs: BlobStore;
  readonly sweep: string;
  readonly signal: AbortSignal;
}

/** The most bytes of messages that the broker sends ahead. */
const PREFETCH_BYTES = 16 * 2 ** 20;
/** Pause before a stream is read again that could not be read. */
const RETRY_MS = 300;

/**
 * Reads without a durable consumer: a stream holds exactly what is not stored yet, so reading begins at its start
 * each time. Acknowledged results are removed; dead letters stay for `ftle status`.
 */
export function outcomeReader(options: OutcomeReaderOptions): OutcomeReader {
  const { broker, blobs, sweep, signal } = options;
  const waiting: { outcome: Outcome; taken: () => void }[] = [];
  let wake = () => {};
  let failure: { error: unknown } | null = null;
  let iterators: ConsumerMessages[] = [];
  const results = acknowledgedResults(broker, sweep);
  const readers = [
    follow(STREAMS.results, subjects.result(sweep, ">"), async (message) => {
      results.read(message.seq);
      const blob = blobIn(message);
      const ack = async () => {
        results.acknowledge(message.seq);
        if (blob !== null) await blobs.drop(sweep, blob);
      };
      return { ...(await resultIn(options, { message, sweep, blob })), ack };
    }),
    follow(STREAMS.dead, subjects.dead(sweep, ">"), async (message) => {
      return { kind: "dead", letter: letterIn(message, sweep), async ack() {} };
    }),
  ];
  signal.addEventListener("abort", stopReading, { once: true });

  function stopReading(): void {
    for (const iterator of iterators) iterator.stop();
    for (const { taken } of waiting.splice(0)) taken();
    wake();
  }

  /** Reads a stream until the signal aborts; after an error, again from its start. */
  async function follow(
    stream: string,
    filter: string,
    toOutcome: (message: JsMsg) => Promise<Outcome>,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await broker.connected(signal);
        const consumer = await broker.js.consumers.get(stream, { filter_subjects: filter });
        const messages = await consumer.consume({
          max_bytes: PREFETCH_BYTES,
          abort_on_missing_resource: true,
        });
        iterators.push(messages);
        if (signal.aborted) messages.stop();
        for await (const message of messages) await handOver(await toOutcome(message));
      } catch (error) {
        if (signal.aborted || broker.nc.isClosed()) return;
        void error; // the stream or the broker is missing: both may come back
      }
      iterators = iterators.slice(-2);
      await pause(RETRY_MS, signal);
    }
  }

  /** Resolves when the outcome has been taken: until then no further message is read. */
  function handOver(outcome: Outcome): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((taken) => {
      waiting.push({ outcome, taken });
      wake();
    });
  }

  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        if (failure !== null) throw failure.error;
        const next = waiting.shift();
        if (next !== undefined) {
          next.taken();
          yield next.outcome;
          continue;
        }
        if (signal.aborted) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    fail(error) {
      if (!signal.aborted) failure = { error };
      wake();
    },
    async close() {
      stopReading();
      await Promise.allSettled(readers);
      await results.finish();
    },
  };
}
