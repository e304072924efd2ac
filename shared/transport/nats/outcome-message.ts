/** How messages of the streams of results and dead letters are read. */
import type { JsMsg } from "@nats-io/jetstream";
import type { DeadLetter, TaskResult } from "../../messages.ts";
import { deadLetterSchema } from "../../messages.ts";
import type { BlobStore } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import { decodeJson, ForeignMessageError, unsealed } from "./envelope.ts";
import { KIND_HEADER, token } from "./names.ts";
import { decodeResult } from "./result-codec.ts";

/** An outcome without its acknowledgement. */
type OutcomeContent =
  | { readonly kind: "result"; readonly result: TaskResult }
  | { readonly kind: "dead"; readonly letter: DeadLetter };

interface ResultMessage {
  readonly message: JsMsg;
  readonly sweep: string;
  /** What `blobIn` found in it. */
  readonly blob: string | null;
}

interface Source {
  readonly broker: Broker;
  readonly blobs: BlobStore;
  readonly signal: AbortSignal;
}

/** Digest of the blob that a large result is in; null if the message holds the result itself. */
export function blobIn({ data, headers }: JsMsg): string | null {
  if (headers?.get(KIND_HEADER) !== "blob") return null;
  const { blob } = (decodeJson(data) ?? {}) as { blob?: unknown };
  return typeof blob === "string" && /^sha256:[0-9a-f]{64}$/.test(blob) ? blob : null;
}

/**
 * A message that is not a result of ours blocks the subject on which its task's result would be stored: it is
 * reported as a dead letter, so that the task can be retried.
 */
export async function resultIn(
  { broker, blobs, signal }: Source,
  { message, sweep, blob }: ResultMessage,
): Promise<OutcomeContent> {
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

/** For a message that is not a dead letter of ours, a dead letter that says so. */
export function letterIn(message: JsMsg, sweep: string): DeadLetter {
  const task = token(message.subject, 3);
  try {
    const letter = deadLetterSchema.safeParse(decodeJson(unsealed(message.data, message.headers)));
    if (letter.success && letter.data.task === task) return letter.data;
    return foreign(sweep, task, "the dead letter is not one of ours");
  } catch (error) {
    return foreign(sweep, task, `the dead letter cannot be read: ${(error as Error).message}`);
  }
}

function foreign(sweep: string, task: string, message: string): DeadLetter {
  const reason = { name: "ForeignMessage", message };
  return { task, sweep, cell: "unknown", kind: "unknown", reason, worker: "unknown", attempts: 1 };
}
