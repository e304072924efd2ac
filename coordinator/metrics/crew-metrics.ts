/** What a coordinator exports about its broker: workers and streams. */
import type { Registry } from "prom-client";
import { STREAMS } from "../../shared/transport/nats/names.ts";
import type { StreamNumbers } from "../../shared/transport/nats/observe.ts";
import type { MirroredMetric, Sample } from "./mirrored-metric.ts";
import { addMirrored, single } from "./mirrored-metric.ts";
import type { EngineCrew } from "./worker-roll.ts";

/** What is known of the broker's workers and streams. */
export interface BrokerNumbers {
  readonly workers: readonly EngineCrew[];
  /** Workers that became silent without having announced their end, since this coordinator began. */
  readonly workersLost: number;
  readonly streams: readonly StreamNumbers[];
}

/** @param numbers is called at each scrape. */
export function addCrewMetrics(registry: Registry, numbers: () => BrokerNumbers): void {
  addMirrored(registry, {
    metrics: [...WORKERS, ...BROKER_STREAMS],
    sharedLabels: [],
    sources: () => [[{}, numbers()]],
  });
}

const WORKERS: readonly MirroredMetric<BrokerNumbers>[] = [
  {
    type: "gauge",
    name: "ftle_workers",
    help: "Workers at the broker, by engine and state; silent: without a heartbeat for 20 s.",
    labels: ["engine", "state"],
    samples: ({ workers }) =>
      workers.flatMap(({ engine, alive, silent }): Sample[] => [
        [{ engine, state: "alive" }, alive],
        [{ engine, state: "silent" }, silent],
      ]),
  },
  {
    type: "gauge",
    name: "ftle_workers_threads",
    help: "Threads of the workers that are alive, by engine.",
    labels: ["engine"],
    samples: ({ workers }) => workers.map(({ engine, threads }) => [{ engine }, threads] as const),
  },
  {
    type: "counter",
    name: "ftle_workers_lost_total",
    help: "Workers that became silent without having announced their end.",
    samples: ({ workersLost }) => single(workersLost),
  },
];

const BROKER_STREAMS: readonly MirroredMetric<BrokerNumbers>[] = [
  {
    type: "gauge",
    name: "ftle_broker_stream_bytes",
    help: "Bytes that a stream holds.",
    labels: ["stream"],
    samples: ofStreams(({ bytes }) => bytes),
  },
  {
    type: "gauge",
    name: "ftle_broker_stream_max_bytes",
    help: `Bytes that a stream may hold; absent if it has no limit except the server's. When ${STREAMS.results} is full, workers wait.`,
    labels: ["stream"],
    samples: ofStreams(({ maxBytes }) => maxBytes),
  },
  {
    type: "gauge",
    name: "ftle_broker_stream_messages",
    help: "Messages that a stream holds.",
    labels: ["stream"],
    samples: ofStreams(({ messages }) => messages),
  },
];

/** One sample per stream; negative values, by which the server says "no limit", are left out. */
function ofStreams(value: (stream: StreamNumbers) => number) {
  return ({ streams }: BrokerNumbers): Sample[] =>
    streams
      .filter((stream) => value(stream) >= 0)
      .map((stream) => [{ stream: stream.name }, value(stream)]);
}
