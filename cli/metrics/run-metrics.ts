/** What a run exports: of the sweep, of the broker, and of the worker if it computes here. */
import type { Registry } from "prom-client";
import type { CoordinatorMetrics } from "../../coordinator/metrics/coordinator-metrics.ts";
import { coordinatorMetrics } from "../../coordinator/metrics/coordinator-metrics.ts";
import type { BrokerNumbers } from "../../coordinator/metrics/crew-metrics.ts";
import { addCrewMetrics } from "../../coordinator/metrics/crew-metrics.ts";
import { createWorkerRoll } from "../../coordinator/metrics/worker-roll.ts";
import type { BrokerState } from "../../shared/metrics/registry.ts";
import {
  addBrokerMetrics,
  addProcessMetrics,
  createRegistry,
} from "../../shared/metrics/registry.ts";
import type { MetricsAddress, MetricsServer } from "../../shared/metrics/server.ts";
import { startMetricsServer } from "../../shared/metrics/server.ts";
import type { WorkerStatus } from "../../shared/transport/transport.ts";

export interface RunMetrics {
  readonly registry: Registry;
  readonly coordinator: CoordinatorMetrics;
  readonly server: MetricsServer;
  /** From now on it is not ready until it is connected to a broker. */
  connecting(): void;
  /** The connection over which the run goes now. */
  connected(broker: BrokerState): void;
  workers(listed: readonly WorkerStatus[]): void;
  streams(streams: BrokerNumbers["streams"]): void;
  /** From now on the run is ready. */
  started(): void;
}

export async function startRunMetrics(address: MetricsAddress): Promise<RunMetrics> {
  const registry = createRegistry();
  addProcessMetrics(registry);
  const coordinator = coordinatorMetrics(registry);
  const roll = createWorkerRoll();
  let isStarted = false;
  let isConnecting = false;
  let broker: BrokerState | null = null;
  let listed: readonly WorkerStatus[] = [];
  let streams: BrokerNumbers["streams"] = [];
  addCrewMetrics(registry, () => {
    return { workers: roll.engines(), workersLost: roll.lost(), streams };
  });
  const server = await startMetricsServer({
    address,
    registry,
    notReady() {
      if (!isStarted || (isConnecting && broker === null)) return "starting";
      return broker === null || broker.isConnected() ? null : "the broker is away";
    },
    json: { "/workers": () => listed.flatMap(targetOf) },
  });
  return {
    registry,
    coordinator,
    server,
    connecting() {
      isConnecting = true;
    },
    connected(now) {
      if (broker === null) {
        addBrokerMetrics(registry, {
          isConnected: () => broker!.isConnected(),
          reconnects: () => broker!.reconnects(),
        });
      }
      broker = now;
    },
    workers(now) {
      listed = now;
      roll.observe(now, performance.now());
    },
    streams(now) {
      streams = now;
    },
    started() {
      isStarted = true;
    },
  };
}

/** For Prometheus' http_sd: https://prometheus.io/docs/prometheus/latest/http_sd/ */
function targetOf({ metrics, name, engine }: WorkerStatus) {
  return metrics === undefined ? [] : [{ targets: [metrics], labels: { worker: name, engine } }];
}
