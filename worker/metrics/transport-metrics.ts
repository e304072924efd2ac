/** The traffic between a worker and the broker. */
import type { Registry } from "prom-client";
import { Counter } from "prom-client";
import type { WorkerTransportEvent } from "../../shared/transport/nats/worker-events.ts";

export interface TransportMetrics {
  /** Leases extended. */
  readonly extensions: Counter;
  /** Bytes of results. */
  readonly resultBytes: Counter;
  /** Reads of weights. */
  readonly weightsReads: Counter<"source">;
  /** Messages that were not tasks. */
  readonly foreign: Counter;
}

export function createTransportMetrics(registry: Registry): TransportMetrics {
  const registers = [registry];
  const extensions = new Counter({
    name: "ftle_worker_lease_extensions_total",
    help: "Lease extensions at the broker.",
    registers,
  });
  const resultBytes = new Counter({
    name: "ftle_worker_result_bytes_total",
    help: "Bytes of results sent to the broker, without weights.",
    registers,
  });
  const weightsReads = new Counter({
    name: "ftle_worker_weights_reads_total",
    help: "Weights read for fields, by source: cache, broker.",
    labelNames: ["source"],
    registers,
  });
  const foreign = new Counter({
    name: "ftle_worker_foreign_messages_total",
    help: "Messages on a queue of tasks that were not tasks; they became dead letters.",
    registers,
  });
  for (const source of ["cache", "broker"]) weightsReads.inc({ source }, 0);
  return { extensions, resultBytes, weightsReads, foreign };
}

export function countTransportEvent(metrics: TransportMetrics, event: WorkerTransportEvent): void {
  if (event.kind === "extended") metrics.extensions.inc();
  if (event.kind === "result") metrics.resultBytes.inc(event.bytes);
  if (event.kind === "blob")
    metrics.weightsReads.inc({ source: event.cached ? "cache" : "broker" });
  if (event.kind === "foreign") metrics.foreign.inc();
}
