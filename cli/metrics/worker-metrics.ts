import type { BrokerState } from "../../shared/metrics/registry.ts";
import {
  addBrokerMetrics,
  addProcessMetrics,
  createRegistry,
} from "../../shared/metrics/registry.ts";
import type { MetricsAddress, MetricsServer } from "../../shared/metrics/server.ts";
import { startMetricsServer } from "../../shared/metrics/server.ts";
import type { WorkerMetrics, WorkerMetricsOptions } from "../../worker/metrics/worker-metrics.ts";
import { workerMetrics } from "../../worker/metrics/worker-metrics.ts";

/** What a worker process exports. */
export interface ExportedWorker {
  readonly metrics: WorkerMetrics;
  readonly server: MetricsServer;
  connected(broker: BrokerState): void;
  /** From now on the worker is not ready: it takes no more tasks. */
  drain(): void;
}

/** Serves a worker's metrics at an address. */
export async function exportWorker(
  address: MetricsAddress,
  options: WorkerMetricsOptions,
): Promise<ExportedWorker> {
  const registry = createRegistry();
  addProcessMetrics(registry);
  const metrics = workerMetrics(registry, options);
  let broker: BrokerState | null = null;
  let isDraining = false;
  const server = await startMetricsServer({
    address,
    registry,
    notReady() {
      if (isDraining) return "draining";
      return broker?.isConnected() ? null : "the broker is away";
    },
  });
  return {
    metrics,
    server,
    connected(to) {
      broker = to;
      addBrokerMetrics(registry, to);
    },
    drain() {
      isDraining = true;
      metrics.drain();
    },
  };
}
