/** The streams and buckets that a broker needs, and how they are created and changed. */
import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { KvOptions } from "@nats-io/kv";
import { Kvm } from "@nats-io/kv";
import { BrokerError } from "../../errors.ts";
import type { Broker } from "./connect.ts";
import { BUCKETS, STREAMS } from "./names.ts";
import { isStreamMissing, untilDone } from "./retry.ts";

export interface SetupOptions {
  /** Copies of each stream in a cluster of brokers: 1, 3 or 5. */
  readonly replicas: number;
  /** The most bytes of results that wait for a coordinator; when it is reached, workers wait. */
  readonly resultBytes: number;
}

export const SETUP_DEFAULTS: SetupOptions = { replicas: 1, resultBytes: 256 * 2 ** 20 };

/** A worker is listed until it has been silent for this long. */
const WORKER_LISTED_MS = 60_000;

/** Brokers whose JetStream has answered. Errors that say it is not enabled are temporary from then on. */
const answered = new WeakSet<Broker>();

type Wanted = Pick<StreamConfig, "name"> & Partial<StreamConfig>;

/** The streams as they should be. One message per subject makes publishing twice harmless. */
function wantedStreams({ replicas, resultBytes }: SetupOptions): Wanted[] {
  const once = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    allow_direct: true,
    num_replicas: replicas,
  };
  const first = { ...once, discard: DiscardPolicy.New, discard_new_per_subject: true };
  return [
    { name: STREAMS.tasks, subjects: ["ftle.task.>"], ...first },
    { name: STREAMS.results, subjects: ["ftle.result.>"], ...first, max_bytes: resultBytes },
    { name: STREAMS.dead, subjects: ["ftle.dead.>"], ...first },
    { name: STREAMS.blobs, subjects: ["ftle.blob.>"], ...first },
    { name: STREAMS.state, subjects: ["ftle.state.>"], ...once, discard: DiscardPolicy.Old },
  ];
}

/** Settings on which correctness depends; all others are the operator's choice. */
const ESSENTIAL = [
  "subjects",
  "retention",
  "max_msgs_per_subject",
  "discard",
  "discard_new_per_subject",
  "allow_direct",
] as const;

export interface SetupChange {
  readonly name: string;
  readonly action: "create" | "change";
  /** What differs, as text. */
  readonly differences: readonly string[];
}

/** What `setup` would do. */
export async function planSetup(broker: Broker, options: SetupOptions): Promise<SetupChange[]> {
  const changes: SetupChange[] = [];
  for (const wanted of [...wantedStreams(options), ...wantedBuckets(options)]) {
    const found = await streamInfo(broker, wanted.name);
    if (found === null) {
      changes.push({ name: wanted.name, action: "create", differences: [] });
      continue;
    }
    const differences = differencesOf(wanted, found.config, Object.keys(wanted));
    if (differences.length > 0) changes.push({ name: wanted.name, action: "change", differences });
  }
  return changes;
}

/**
 * Creates missing streams and buckets. Existing ones keep their operator's settings, unless `change` is given.
 * Idempotent.
 *
 * @throws BrokerError if a stream of that name has unsuitable settings, or there is no room.
 */
export async function setup(
  broker: Broker,
  options: SetupOptions = SETUP_DEFAULTS,
  { change = false, signal }: { change?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  for (const wanted of wantedStreams(options)) {
    const found = await streamInfo(broker, wanted.name, signal);
    if (found === null) await create(broker, wanted, signal);
    else if (change) await update(broker, wanted, found);
    else refuseUnfit(wanted, found.config);
  }
  const kvm = new Kvm(broker.js);
  const { replicas } = options;
  const createBucket = (bucket: string, like: Partial<KvOptions>) =>
    untilDone(broker, () => withRoom(`KV_${bucket}`, () => kvm.create(bucket, like)), { signal });
  await createBucket(BUCKETS.sweeps, { replicas, history: 1 });
  // In memory: after a restart of the broker, workers report again within seconds.
  const inMemory = { storage: StorageType.Memory, ttl: WORKER_LISTED_MS, history: 1 };
  await createBucket(BUCKETS.workers, { replicas, ...inMemory });
  if (!change) return;
  for (const wanted of wantedBuckets(options)) {
    const found = await streamInfo(broker, wanted.name, signal);
    if (found !== null) await update(broker, wanted, found);
  }
}

/** The settings of a bucket's stream that `setup` may change; the client library owns the others. */
function wantedBuckets({ replicas }: SetupOptions): Wanted[] {
  return Object.values(BUCKETS).map((bucket) => ({ name: `KV_${bucket}`, num_replicas: replicas }));
}

/** Whether this broker was ever prepared for sweeps. */
export async function isSetUp(broker: Broker): Promise<boolean> {
  return (await streamInfo(broker, `KV_${BUCKETS.workers}`)) !== null;
}

/** null if there is no such stream. @throws BrokerError if the user's account has no JetStream. */
export async function streamInfo(
  broker: Broker,
  name: string,
  signal?: AbortSignal,
): Promise<StreamInfo | null> {
  return await untilDone(
    broker,
    async () => {
      try {
        const found = await broker.jsm.streams.info(name);
        answered.add(broker);
        return found;
      } catch (error) {
        if (error instanceof JetStreamApiError) answered.add(broker);
        if (isStreamMissing(error)) return null;
        if ((error as Error).name === "JetStreamNotEnabled" && !answered.has(broker)) {
          throw new BrokerError(
            "the broker has no JetStream for the account that our user is in; switch it on there (`jetstream: enabled`), or use another account",
            error,
          );
        }
        throw error;
      }
    },
    { signal },
  );
}

async function create(broker: Broker, wanted: Wanted, signal?: AbortSignal): Promise<void> {
  const { name } = wanted;
  const add = () => withRoom(name, () => broker.jsm.streams.add(wanted));
  try {
    await untilDone(broker, add, { signal });
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error;
    throw new BrokerError(`the broker did not create stream ${name}: ${error.message}`, error);
  }
}

/** @throws BrokerError if there is no room: waiting would not help. */
async function withRoom(name: string, add: () => Promise<unknown>): Promise<void> {
  try {
    await add();
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || !/insufficient/.test(error.message)) throw error;
    throw new BrokerError(
      `the broker has no room for stream ${name} (${error.message}); raise max_file_store or max_memory_store in its configuration, or ask for less with \`ftle nats setup --result-bytes\``,
      error,
    );
  }
}

async function update(broker: Broker, wanted: Wanted, found: StreamInfo): Promise<void> {
  if (differencesOf(wanted, found.config, Object.keys(wanted)).length === 0) return;
  try {
    await broker.jsm.streams.update(wanted.name, { ...found.config, ...wanted });
  } catch (error) {
    throw new BrokerError(
      `the broker did not change stream ${wanted.name}: ${(error as Error).message}`,
      error,
    );
  }
}

function refuseUnfit(wanted: Wanted, found: StreamConfig): void {
  const differences = differencesOf(wanted, found, ESSENTIAL);
  if (differences.length === 0) return;
  throw new BrokerError(
    `stream ${wanted.name} of the broker has unsuitable settings: ${differences.join("; ")}. \`ftle nats setup\` shows what it would change`,
  );
}

function differencesOf(wanted: Wanted, found: StreamConfig, keys: readonly string[]): string[] {
  const text = (config: object, key: string) =>
    JSON.stringify((config as Record<string, unknown>)[key]) ?? "nothing";
  return keys
    .filter((key) => key in wanted && text(wanted, key) !== text(found, key))
    .map((key) => `expected ${key} ${text(wanted, key)}, found ${text(found, key)}`);
}
