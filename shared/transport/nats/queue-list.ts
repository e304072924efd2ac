/** Which sweeps have tasks on the broker: one record that workers read and coordinators change. */
import { JetStreamApiError } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Kvm } from "@nats-io/kv";
import { z } from "zod";
import type { Broker } from "./connect.ts";
import { decodeJson, encodeJson } from "./envelope.ts";
import { BUCKETS, CHANGED_SUBJECT } from "./names.ts";
import { untilDone } from "./retry.ts";
import { readLastNow } from "./store-once.ts";

const queueSchema = z.object({
  sweep: z.string().regex(/^[\w-]{1,128}$/),
  engine: z.string().regex(/^[\w.-]{1,64}$/),
  /** Workers serve sweeps of high priority first; sweeps of the same priority take turns. */
  priority: z.enum(["high", "normal"]),
  /** `paused`: workers take none of its tasks; `cancelled`: its coordinator must end. */
  state: z.enum(["running", "paused", "cancelled"]),
  /** How long a worker may be silent about a task before another gets it. */
  leaseMs: z.int().min(100),
});

export type Queue = z.infer<typeof queueSchema>;

/** Key of the record in the bucket of sweeps. */
const KEY = "queues";

/** null if the broker has no list: it had no sweep yet, or has lost its data. */
export async function readQueues(
  broker: Broker,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Queue[] | null> {
  return await untilDone(broker, () => readQueuesNow(broker), options);
}

/** Like `readQueues`, without retries. @throws if the broker does not answer, or had no sweep yet. */
export async function readQueuesNow(broker: Broker): Promise<Queue[] | null> {
  const stream = `KV_${BUCKETS.sweeps}`;
  const found = await readLastNow(broker, { stream, subject: `$KV.${BUCKETS.sweeps}.${KEY}` });
  return found === null || found.payload.length === 0 ? null : parseQueues(found.payload);
}

/** Changes the list without losing concurrent changes, and announces it. */
export async function changeQueues(
  broker: Broker,
  change: (queues: readonly Queue[]) => readonly Queue[],
): Promise<void> {
  await untilDone(broker, async () => {
    const bucket = await new Kvm(broker.js).open(BUCKETS.sweeps);
    while (!(await tryChange(bucket, change))) {
      // A concurrent change came first: starts again from the new list.
    }
  });
  broker.nc.publish(CHANGED_SUBJECT);
}

async function tryChange(
  bucket: KV,
  change: (queues: readonly Queue[]) => readonly Queue[],
): Promise<boolean> {
  const entry = await bucket.get(KEY);
  const queues = entry === null || entry.length === 0 ? [] : parseQueues(entry.value);
  const changed = encodeJson(change(queues));
  try {
    if (entry === null) await bucket.create(KEY, changed);
    else await bucket.update(KEY, changed, entry.revision);
    return true;
  } catch (error) {
    if (isOutrun(error)) return false;
    throw error;
  }
}

/** JetStream's error code for "wrong last sequence". */
const WRONG_LAST_SEQUENCE = 10071;

/** Whether a write failed because a concurrent write to the same key came first. */
export function isOutrun(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE;
}

/** Leaves out entries that are not ours or of a later version. */
function parseQueues(payload: Uint8Array): Queue[] {
  const list = decodeJson(payload);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry) => {
    const parsed = queueSchema.safeParse(entry);
    return parsed.success ? [parsed.data] : [];
  });
}
