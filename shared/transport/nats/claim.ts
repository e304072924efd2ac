/** Which coordinator runs a sweep, and its progress: one record per sweep, updated while it runs. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { KV } from "@nats-io/kv";
import { Kvm } from "@nats-io/kv";
import { z } from "zod";
import { CancelledError, LockedError } from "../../errors.ts";
import { processPlace } from "../../process/process-place.ts";
import { processStart } from "../../process/process-start.ts";
import type { Broker } from "./connect.ts";
import { decodeJson, encodeJson } from "./envelope.ts";
import { BUCKETS } from "./names.ts";
import { isOutrun, readQueues } from "./queue-list.ts";
import { readStream } from "./read-stream.ts";
import { pause, untilDone } from "./retry.ts";

const BEAT_MS = 2_000;
/** A coordinator on another machine counts as dead when its record has not changed for this long. */
const SILENT_MS = 3 * BEAT_MS;

const progressSchema = z.object({
  tasksDone: z.int(),
  tasksTotal: z.int(),
  /** Share of the work done, 0…1. */
  fraction: z.number(),
  trained: z.int(),
  diverged: z.int(),
  dead: z.int(),
  tasksPerSecond: z.number(),
  /** null while there is no worker. */
  etaSeconds: z.number().nullable(),
});

export type SweepProgress = z.infer<typeof progressSchema>;

const recordSchema = z.object({
  sweep: z.string(),
  name: z.string(),
  engine: z.string(),
  owner: z.object({
    pid: z.int(),
    host: z.string(),
    started: z.string(),
    since: z.string(),
    /** Unique for each run of a coordinator. */
    run: z.string(),
    /** Where its process id counts; absent from records of earlier versions. */
    place: z.object({ boot: z.string(), pids: z.string() }).optional(),
  }),
  /** `stopped`: its coordinator ended before the sweep did. */
  phase: z.enum(["running", "stopped", "complete"]),
  progress: progressSchema.nullable(),
  /** Milliseconds since the epoch, by the coordinator's clock. */
  updated: z.number(),
});

export type SweepRecord = z.infer<typeof recordSchema>;

export interface Claim {
  /** Aborts when another coordinator has taken the sweep over, or the sweep was cancelled. */
  readonly lost: AbortSignal;
  readonly isPaused: () => boolean;
  /** Progress for others to see; written with the next update of the record. */
  report(progress: SweepProgress): void;
  /** Ends the claim; removes its record unless a phase is given. */
  end(phase?: "stopped" | "complete"): Promise<void>;
}

const keyOf = (sweep: string) => `sweep.${sweep}`;

/**
 * Makes this process the only coordinator of a sweep on a broker.
 * @throws LockedError with the coordinator that already is.
 */
export async function claimSweep(
  broker: Broker,
  { sweep, name, engine }: { sweep: string; name: string; engine: string },
  {
    signal,
    beatMs = BEAT_MS,
    silentMs = SILENT_MS,
  }: { signal?: AbortSignal; beatMs?: number; silentMs?: number } = {},
): Promise<Claim> {
  const bucket = await untilDone(broker, () => new Kvm(broker.js).open(BUCKETS.sweeps), { signal });
  const key = keyOf(sweep);
  const me: SweepRecord["owner"] = {
    pid: process.pid,
    host: hostname(),
    started: (await processStart(process.pid)) ?? "",
    since: new Date().toISOString(),
    run: randomUUID(),
    place: await processPlace(),
  };
  let record: SweepRecord = {
    sweep,
    name,
    engine,
    owner: me,
    phase: "running",
    progress: null,
    updated: Date.now(),
  };
  let revision = await take();
  const lost = new AbortController();
  const over = new AbortController();
  let isPaused = false;
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    beating = beating.then(beat).catch(() => {}); // the broker is away: the next beat tries again
  }, beatMs);

  /** @returns the revision of our record. */
  async function take(): Promise<number> {
    for (;;) {
      const found = await untilDone(broker, () => read(bucket, key), { signal });
      if (found !== null && !(await isFree(found))) {
        const { pid, host, since } = found.record.owner;
        throw new LockedError(
          `sweep ${sweep} (${name})`,
          `process ${pid} on ${host}, since ${since}`,
        );
      }
      const written = await untilDone(broker, () => write(found?.revision ?? 0), { signal });
      if (written !== null) return written;
    }
  }

  async function isFree({ record: { owner, phase }, revision: seen }: Found): Promise<boolean> {
    if (phase !== "running") return true;
    if (isInReach(owner)) {
      const started = await processStart(owner.pid);
      return started === null || started !== owner.started;
    }
    // The clocks of two machines are not compared: a live coordinator soon writes its record again.
    await pause(silentMs, signal ?? broker.closed);
    signal?.throwIfAborted();
    return (await read(bucket, key))?.revision === seen;
  }

  /** Whether the owner's process id means the same process here: containers may share a host name, not process ids. */
  function isInReach({ host, place = me.place }: SweepRecord["owner"]): boolean {
    return host === me.host && isDeepStrictEqual(place, me.place);
  }

  /** @returns null if another coordinator wrote first. @throws if the broker does not answer. */
  async function write(previous: number): Promise<number | null> {
    const payload = encodeJson({ ...record, updated: Date.now() });
    try {
      return previous === 0
        ? await bucket.create(key, payload)
        : await bucket.update(key, payload, previous);
    } catch (error) {
      if (isOutrun(error)) return null;
      throw error;
    }
  }

  async function beat(): Promise<void> {
    const written = await write(revision);
    if (written !== null) revision = written;
    else await resolveRace();
    const queue = (await readQueues(broker, { signal: over.signal }))?.find(
      (other) => other.sweep === sweep,
    );
    isPaused = queue?.state === "paused";
    if (queue?.state === "cancelled") lost.abort(new CancelledError(name));
  }

  /** The record has an unexpected revision: another coordinator wrote it, a reply was lost, or the broker lost its data. */
  async function resolveRace(): Promise<void> {
    const found = await read(bucket, key);
    if (found === null) revision = 0;
    else if (found.record.owner.run === me.run) revision = found.revision;
    else {
      const { pid, host } = found.record.owner;
      lost.abort(new LockedError(`sweep ${sweep} (${name})`, `process ${pid} on ${host}`));
    }
  }

  return {
    lost: lost.signal,
    isPaused: () => isPaused,
    report(progress) {
      record = { ...record, progress };
    },
    async end(phase) {
      clearInterval(timer);
      over.abort(new Error("the claim has ended"));
      await beating;
      if (lost.signal.aborted && !(lost.signal.reason instanceof CancelledError)) return;
      record = { ...record, phase: phase ?? record.phase };
      try {
        if (phase === undefined) await bucket.purge(key);
        else await write(revision);
      } catch {
        // The broker is away: the next coordinator finds that this process has ended.
      }
    },
  };
}

/** The records of all sweeps on a broker. */
export async function readSweeps(broker: Broker): Promise<SweepRecord[]> {
  const { sweeps } = BUCKETS;
  const records = { stream: `KV_${sweeps}`, filter: `$KV.${sweeps}.${keyOf(">")}` };
  return await readStream(broker, records, recordIn);
}

/** Removes the record of a sweep whose coordinator has ended. */
export async function forgetClaim(broker: Broker, sweep: string): Promise<void> {
  await untilDone(broker, async () => {
    const bucket = await new Kvm(broker.js).open(BUCKETS.sweeps);
    await bucket.purge(keyOf(sweep));
  });
}

interface Found {
  readonly record: SweepRecord;
  readonly revision: number;
}

async function read(bucket: KV, key: string): Promise<Found | null> {
  const entry = await bucket.get(key);
  if (entry === null || entry.length === 0) return null;
  const record = recordIn(entry.value);
  if (record !== null) return { record, revision: entry.revision };
  await bucket.purge(key); // not a record of ours: counts as none
  return null;
}

function recordIn(data: Uint8Array): SweepRecord | null {
  try {
    return recordSchema.parse(decodeJson(data));
  } catch {
    return null;
  }
}
