/** docs/metrics.md, from what the code registers. */
import type { Registry } from "prom-client";
import { coordinatorMetrics } from "../../coordinator/metrics/coordinator-metrics.ts";
import { addCrewMetrics } from "../../coordinator/metrics/crew-metrics.ts";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";
import { addBrokerMetrics, createRegistry } from "../../shared/metrics/registry.ts";
import { workerMetrics } from "../../worker/metrics/worker-metrics.ts";

/** A metric that is exported, other than those of the process itself; `type` as Prometheus names it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

const AWAY = { isConnected: () => false, reconnects: () => 0 };

export function describedMetrics(): Record<
  "common" | "coordinator" | "worker",
  MetricDescription[]
> {
  const common = createRegistry();
  addBrokerMetrics(common, AWAY);
  const coordinator = createRegistry();
  coordinatorMetrics(coordinator);
  addCrewMetrics(coordinator, () => ({ workers: [], workersLost: 0, streams: [] }));
  const worker = createRegistry();
  workerMetrics(worker, { name: "w", engine: "e", threads: 1, rates: { train: 1, field: 1 } });
  const isCommon = ({ name }: MetricDescription) => common.getSingleMetric(name) !== undefined;
  return {
    common: described(common),
    coordinator: described(coordinator).filter((metric) => !isCommon(metric)),
    worker: described(worker).filter((metric) => !isCommon(metric)),
  };
}

function described(registry: Registry): MetricDescription[] {
  return (registry.getMetricsAsArray() as unknown as Registered[]).map((metric) => {
    const { name, help, labelNames: labels } = metric;
    return { name, help, labels, type: metric.constructor.name.toLowerCase() };
  });
}

/** What prom-client keeps of a metric, beyond what its types declare. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

export function metricsReference(): string {
  const { common, coordinator, worker } = describedMetrics();
  return `# Metrics

What \`--metrics\` (or \`FTLE_METRICS\`) exports, generated from the code by \`node --import tsx cli/metrics/write-reference.ts\`.

A coordinator (\`ftle run\`, \`resume\`, \`retry\`) serves at 127.0.0.1:${METRICS_PORTS.coordinator}, a worker at 127.0.0.1:${METRICS_PORTS.worker} by default; \`--metrics 0.0.0.0:${METRICS_PORTS.worker}\` lets other machines connect.
Paths: \`/metrics\`; \`/healthz\`, 200 while the process answers; \`/readyz\`, 503 with the reason while it starts, drains, or its broker is away; at a coordinator also \`/workers\`, the addresses of
the workers it hears, for Prometheus' \`http_sd_configs\`. No request changes anything. A sweep that is computed without a broker exports the worker's metrics at the coordinator's port.

Everything about a sweep mirrors its store: counters continue where they were when a coordinator is started again. A coordinator that has been scraped waits at its end until its last state has been scraped, too, at most
\`--metrics-linger\`. Label \`sweep\` is the sweep's name; a process exports its running sweeps and the last 50. Operations are estimated floating-point operations (\`shared/work.ts\`).
Several coordinators at one broker all export its workers and streams: take \`max\`, not \`sum\`, over them.

## A sweep, and the broker as its coordinator sees it

${table(coordinator)}

## A worker

${table(worker)}

## Both

${table(common)}

Besides these, prom-client's \`process_*\` and \`nodejs_*\`: processor time and memory of the whole process; event loop, heap and garbage collection of its main thread.
`;
}

function table(metrics: readonly MetricDescription[]): string {
  const rows = metrics.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
  );
  return ["| metric | type | labels | |", "|---|---|---|---|", ...rows].join("\n");
}
