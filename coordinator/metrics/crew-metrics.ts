/** What a coordinator exports of the broker at which it computes: its workers and its streams. */
import type { Registry } from "prom-client";
import { STREAMS } from "../../shared/transport/nats/names.ts";
import type { StreamNumbers } from "../../shared/transport/nats/observe.ts";
import type { MirroredMetric, Sample } from "./mirrored-metric.ts";
import { addMirrored, single } from "./mirrored-metric.ts";
import type { EngineCrew } from "./worker-roll.ts";

/** What is known of the broker's workers and streams. */
export interface BrokerNumbers {
  readonly workers: readonly EngineCrew[];
  /** Workers that fell silent without saying that they end, since the start. */
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
    help: "Workers at the broker, by engine; silent: none of their heartbeats came for 20 s.",
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
    help: "Threads of the workers at the broker that are alive, by engine.",
    labels: ["engine"],
    samples: ({ workers }) => workers.map(({ engine, threads }) => [{ engine }, threads] as const),
  },
  {
    type: "counter",
    name: "ftle_workers_lost_total",
    help: "Workers that fell silent without having said that they end.",
    samples: ({ workersLost }) => single(workersLost),
  },
];

const BROKER_STREAMS: readonly MirroredMetric<BrokerNumbers>[] = [
  {
    type: "gauge",
    name: "ftle_broker_stream_bytes",
    help: "Bytes in a stream.",
    labels: ["stream"],
    samples: ofStreams(({ bytes }) => bytes),
  },
  {
    type: "gauge",
    name: "ftle_broker_stream_max_bytes",
    help: `What a stream may hold; absent where the server's limit alone counts. When ${STREAMS.results} is full, workers wait.`,
    labels: ["stream"],
    samples: ofStreams(({ maxBytes }) => maxBytes),
  },
  {
    type: "gauge",
    name: "ftle_broker_stream_messages",
    help: "Messages in a stream.",
    labels: ["stream"],
    samples: ofStreams(({ messages }) => messages),
  },
];

/** One sample a stream; negative values, by which the server says "no limit", are left out. */
function ofStreams(value: (stream: StreamNumbers) => number) {
  return ({ streams }: BrokerNumbers): Sample[] =>
    streams
      .filter((stream) => value(stream) >= 0)
      .map((stream) => [{ stream: stream.name }, value(stream)]);
}
