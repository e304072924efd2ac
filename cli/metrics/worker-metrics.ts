import type { BrokerState } from "../../shared/metrics/registry.ts";
import {
  addBrokerMetrics,
  addProcessMetrics,
  createRegistry,
} from "../../shared/metrics/registry.ts";
import type { MetricsServer } from "../../shared/metrics/server.ts";
import { startMetricsServer } from "../../shared/metrics/server.ts";
import type { WorkerMetrics, WorkerMetricsOptions } from "../../worker/metrics/worker-metrics.ts";
import { workerMetrics } from "../../worker/metrics/worker-metrics.ts";
import type { MetricsFlags } from "../terminal/metrics-options.ts";

/** What a worker process exports. */
export interface ExportedWorker {
  readonly metrics: WorkerMetrics;
  readonly server: MetricsServer;
  connected(broker: BrokerState): void;
  /** From now on it is not ready: it takes no more tasks. */
  drain(): void;
}

/** Serves a worker's metrics where the flags say; null if nowhere. */
export async function exportWorker(
  { metrics: address }: MetricsFlags,
  options: WorkerMetricsOptions,
): Promise<ExportedWorker | null> {
  if (!address) return null;
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
