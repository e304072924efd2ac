/** A sweep's results and dead letters, as they come. */
import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import type { DeadLetter, TaskResult } from "../../messages.ts";
import { deadLetterSchema } from "../../messages.ts";
import type { BlobStore } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import { decodeJson, ForeignMessageError, unsealed } from "./envelope.ts";
import { KIND_HEADER, STREAMS, subjects, token } from "./names.ts";
import { decodeResult } from "./result-codec.ts";
import { pause } from "./retry.ts";
import { purge } from "./store-once.ts";

export type KeptOutcome = { ack(): Promise<void> } & (
  | { readonly kind: "result"; readonly result: TaskResult }
  | { readonly kind: "dead"; readonly letter: DeadLetter }
);

export interface OutcomeReader extends AsyncIterable<KeptOutcome> {
  /** Ends the reading with an error. */
  fail(error: unknown): void;
  /** Ends the reading, and removes from the broker what was acknowledged. */
  close(): Promise<void>;
}

export interface OutcomeReaderOptions {
  readonly broker: Broker;
  readonly blobs: BlobStore;
  readonly sweep: string;
  readonly signal: AbortSignal;
}

/** Results on their way to us, at most. */
const PREFETCH_BYTES = 16 * 2 ** 20;
/** Acknowledged results are removed so many at a time, or after so long. */
const REMOVE_COUNT = 64;
const REMOVE_MS = 250;
const TROUBLE_MS = 300;

/**
 * Reads without a durable consumer: what the streams hold is what is not done with, so reading begins at their
 * beginning each time. Acknowledged results are removed; dead letters stay for whoever asks.
 */
export function outcomeReader({
  broker,
  blobs,
  sweep,
  signal,
}: OutcomeReaderOptions): OutcomeReader {
  const waiting: { outcome: KeptOutcome; taken: () => void }[] = [];
  let wake = () => {};
  let failure: { error: unknown } | null = null;
  let iterators: ConsumerMessages[] = [];
  const results = remover(broker, sweep);
  const readers = [
    read(STREAMS.results, subjects.result(sweep, ">"), async (message) => {
      results.came(message.seq);
      const blob = blobIn(message);
      const ack = async () => {
        results.acknowledged(message.seq);
        if (blob !== null) await blobs.drop(sweep, blob);
      };
      return { ...(await resultIn(message, blob)), ack };
    }),
    read(STREAMS.dead, subjects.dead(sweep, ">"), async (message) => {
      return { kind: "dead", letter: letterIn(message), async ack() {} };
    }),
  ];
  signal.addEventListener("abort", stopReading, { once: true });

  function stopReading(): void {
    for (const iterator of iterators) iterator.stop();
    for (const { taken } of waiting.splice(0)) taken();
    wake();
  }

  /** Follows a stream; begins again where the broker has lost the thread. */
  async function read(
    stream: string,
    filter: string,
    toOutcome: (message: JsMsg) => Promise<KeptOutcome>,
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
        for await (const message of messages) await hand(await toOutcome(message));
      } catch (error) {
        if (signal.aborted || broker.nc.isClosed()) return;
        void error; // the stream is not there, or the broker is not: both may come back
      }
      iterators = iterators.slice(-2);
      await pause(TROUBLE_MS, signal);
    }
  }

  /** Waits until it has been taken: what is not wanted yet stays with the broker. */
  function hand(outcome: KeptOutcome): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((taken) => {
      waiting.push({ outcome, taken });
      wake();
    });
  }

  /** A message that is no result of ours stands in its task's way: the task is given up, and can be tried again. */
  async function resultIn(message: JsMsg, blob: string | null): Promise<Unacknowledged> {
    const task = token(message.subject, 3);
    try {
      const payload = unsealed(message.data, message.headers);
      const result = decodeResult(blob === null ? payload : await blobs.get(sweep, blob, signal));
      if (result.task === task) return { kind: "result", result };
      throw new ForeignMessageError(`expected a result of ${task}, found one of ${result.task}`);
    } catch (error) {
      if (signal.aborted || broker.nc.isClosed()) throw error;
      return { kind: "dead", letter: foreign(sweep, task, (error as Error).message) };
    }
  }

  function letterIn(message: JsMsg): DeadLetter {
    const task = token(message.subject, 3);
    try {
      const letter = deadLetterSchema.safeParse(
        decodeJson(unsealed(message.data, message.headers)),
      );
      if (letter.success && letter.data.task === task) return letter.data;
      return foreign(sweep, task, "the dead letter is not one of ours");
    } catch (error) {
      return foreign(sweep, task, `the dead letter cannot be read: ${(error as Error).message}`);
    }
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

type Unacknowledged =
  | { readonly kind: "result"; readonly result: TaskResult }
  | { readonly kind: "dead"; readonly letter: DeadLetter };

/** Digest of the blob that a large result is in; null if the message holds the result itself. */
function blobIn({ data, headers }: JsMsg): string | null {
  if (headers?.get(KIND_HEADER) !== "blob") return null;
  const { blob } = (decodeJson(data) ?? {}) as { blob?: unknown };
  return typeof blob === "string" && /^sha256:[0-9a-f]{64}$/.test(blob) ? blob : null;
}

function foreign(sweep: string, task: string, message: string): DeadLetter {
  const reason = { name: "ForeignMessage", message };
  return { task, sweep, cell: "unknown", kind: "unknown", reason, worker: "unknown", attempts: 1 };
}

/** Removes acknowledged results from the broker: all up to the first that is not acknowledged, now and then. */
function remover(broker: Broker, sweep: string) {
  const order: number[] = []; // sequence numbers that came and are not removed
  const done = new Set<number>();
  const filter = subjects.result(sweep, ">");
  let removing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const remove = () => {
    clearTimeout(timer);
    timer = undefined;
    let last = 0;
    while (order.length > 0 && done.delete(order[0]!)) last = order.shift()!;
    if (last === 0) return;
    removing = removing.then(() =>
      purge(broker, { stream: STREAMS.results, filter, seq: last + 1 }).catch(() => {}),
    );
  };
  return {
    came(seq: number) {
      order.push(seq);
    },
    acknowledged(seq: number) {
      done.add(seq);
      if (done.size >= REMOVE_COUNT) remove();
      else timer ??= setTimeout(remove, REMOVE_MS);
    },
    async finish() {
      remove();
      await removing;
    },
  };
}
