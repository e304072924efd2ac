/** Every name that broker, coordinator and workers agree on. `deploy/nats/` grants permissions by them. */

/** Streams, all with at most one message per subject (docs/decisions/0010). */
export const STREAMS = {
  tasks: "FTLE_TASKS",
  results: "FTLE_RESULTS",
  dead: "FTLE_DEAD",
  blobs: "FTLE_BLOBS",
  state: "FTLE_STATE",
} as const;

/** Key-value buckets; a bucket `b` is kept in the stream `KV_b`. */
export const BUCKETS = { sweeps: "ftle_sweeps", workers: "ftle_workers" } as const;

/** Header with the digest of a message's payload. */
export const DIGEST_HEADER = "Ftle-Digest";
/** Header with the number of parts to which this message belongs. */
export const PARTS_HEADER = "Ftle-Parts";
/** Header `blob` of a message whose payload is the digest of a blob with the real content. */
export const KIND_HEADER = "Ftle-Kind";

/** Published when the list of queues has changed. */
export const CHANGED_SUBJECT = "ftle.control.changed";
/** Published, with the sweep as last token, when a sweep is cancelled. */
export const CANCEL_SUBJECT = "ftle.control.cancel";

/** An engine's id as one token of a subject. */
export function engineToken(engine: string): string {
  return engine.replaceAll(".", "_");
}

interface CheckpointPart {
  readonly sweep: string;
  readonly task: string;
  /** 0 or 1: a task's checkpoints are written to two places in turn. */
  readonly slot: number;
  /** From 0. */
  readonly part: number;
}

export const subjects = {
  task: (engine: string, sweep: string, task: string) =>
    `ftle.task.${engineToken(engine)}.${sweep}.${task}`,
  result: (sweep: string, task: string) => `ftle.result.${sweep}.${task}`,
  dead: (sweep: string, task: string) => `ftle.dead.${sweep}.${task}`,
  blob: (sweep: string, digest: string, part: number | ">") =>
    `ftle.blob.${sweep}.${digest.replace("sha256:", "")}.${part}`,
  state: (sweep: string, task: string) => `ftle.state.${sweep}.${task}`,
  checkpoint: ({ sweep, task, slot, part }: CheckpointPart) =>
    `ftle.state.${sweep}.${task}.${slot}.${part}`,
} as const;

/** The pull consumer from which workers take a sweep's tasks. */
export function queueName(engine: string, sweep: string): string {
  return `${engineToken(engine)}-${sweep}`;
}

/** The `n`-th token of a subject, from 0. */
export function token(subject: string, n: number): string {
  return subject.split(".")[n] ?? "";
}

export type Role = "coordinator" | "worker" | "observer";

/** Prefix of the subjects on which each role receives replies; no role may read another's. */
export const INBOXES: Readonly<Record<Role, string>> = {
  coordinator: "_INBOX_coordinator",
  worker: "_INBOX_worker",
  observer: "_INBOX_observer",
};
