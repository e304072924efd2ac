/** The workers' heartbeats, as coordinators and observers read them; `heartbeat.ts` sends them. */
import { z } from "zod";
import type { WorkerStatus } from "../transport.ts";
import type { Broker } from "./connect.ts";
import { decodeJson } from "./envelope.ts";
import { BUCKETS } from "./names.ts";
import { readStream } from "./read-stream.ts";

const time = z.number().min(0);
const rate = z.number().min(0);

const statusSchema = z.object({
  name: z.string().max(200),
  engine: z.string().max(64),
  threads: z.int().min(1),
  version: z.string().max(64),
  rates: z.object({ train: rate, field: rate }),
  metrics: z.string().max(300).optional(),
  since: time,
  seen: time,
  running: z.array(
    z.object({
      id: z.string(),
      sweep: z.string(),
      attempt: z.int().min(1),
      progress: z.number().min(0).max(1),
      since: time,
    }),
  ),
});

/** The workers that sent a heartbeat in the last minute; messages that are not heartbeats are left out. */
export async function readWorkers(broker: Broker): Promise<WorkerStatus[]> {
  const { workers } = BUCKETS;
  const found = await readStream(
    broker,
    { stream: `KV_${workers}`, filter: `$KV.${workers}.>` },
    statusOf,
  );
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function statusOf(data: Uint8Array): WorkerStatus | null {
  try {
    return statusSchema.parse(decodeJson(data));
  } catch {
    return null;
  }
}
