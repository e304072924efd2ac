/** What a broker holds, as `ftle status --nats` shows it. */
import type { DeadLetter } from "../../shared/messages.ts";
import type { SweepRecord } from "../../shared/transport/nats/claim.ts";
import { readSweeps } from "../../shared/transport/nats/claim.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { readDeadLetters, readDepths } from "../../shared/transport/nats/observe.ts";
import type { Queue } from "../../shared/transport/nats/queue-list.ts";
import { readQueues } from "../../shared/transport/nats/queue-list.ts";
import { readWorkers } from "../../shared/transport/nats/workers.ts";
import type { Depth, WorkerStatus } from "../../shared/transport/transport.ts";

/** A coordinator that has not reported for this long is shown as silent. */
const SILENT_MS = 15_000;

/** What a broker holds of one sweep. */
export interface SweepThere {
  readonly sweep: string;
  readonly name: string;
  readonly engine: string;
  readonly phase: string;
  readonly priority: string;
  readonly owner: { readonly pid: number; readonly host: string } | null;
  readonly progress: SweepRecord["progress"];
  readonly depth: Depth;
}

export interface BrokerContents {
  readonly sweeps: readonly SweepThere[];
  readonly workers: readonly WorkerStatus[];
  readonly letters: readonly DeadLetter[];
}

/**
 * The sweeps, workers and dead letters at a broker that is set up.
 * @param now milliseconds since the epoch.
 */
export async function readBrokerState(broker: Broker, now = Date.now()): Promise<BrokerContents> {
  const [records, queues, workers, letters] = await Promise.all([
    readSweeps(broker),
    readQueues(broker),
    readWorkers(broker),
    readDeadLetters(broker),
  ]);
  const depths = await readDepths(broker, queues ?? []);
  return { sweeps: sweepsOf(records, queues ?? [], { depths, now }), workers, letters };
}

function sweepsOf(
  records: readonly SweepRecord[],
  queues: readonly Queue[],
  { depths, now }: { depths: ReadonlyMap<string, Depth>; now: number },
): SweepThere[] {
  const ids = new Set([...records, ...queues].map(({ sweep }) => sweep));
  return [...ids].map((sweep) => {
    const record = records.find((other) => other.sweep === sweep);
    const queue = queues.find((other) => other.sweep === sweep);
    const { name = sweep, progress = null } = record ?? {};
    return {
      sweep,
      name,
      engine: (record ?? queue)!.engine,
      phase: phaseOf(record, queue, now),
      priority: queue?.priority ?? "normal",
      owner: record === undefined ? null : { pid: record.owner.pid, host: record.owner.host },
      progress,
      depth: depths.get(sweep) ?? { waiting: 0, inFlight: 0 },
    };
  });
}

function phaseOf(record: SweepRecord | undefined, queue: Queue | undefined, now: number): string {
  if (queue !== undefined && queue.state !== "running") return queue.state;
  if (record === undefined) return "no coordinator";
  if (record.phase === "running" && now - record.updated > SILENT_MS) return "coordinator silent";
  return record.phase;
}
