/** What a coordinator exports of the broker at which it computes: its workers and its streams. */
import type { Registry } from "prom-client";
import { Counter, Gauge } from "prom-client";
import { STREAMS } from "../../shared/transport/nats/names.ts";
import type { StreamNumbers } from "../../shared/transport/nats/observe.ts";
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
  const registers = [registry];
  new Gauge({
    name: "ftle_workers",
    help: "Workers at the broker, by engine; silent: none of their heartbeats came for 20 s.",
    labelNames: ["engine", "state"],
    registers,
    collect() {
      this.reset();
      for (const { engine, alive, silent } of numbers().workers) {
        this.set({ engine, state: "alive" }, alive);
        this.set({ engine, state: "silent" }, silent);
      }
    },
  });
  new Gauge({
    name: "ftle_workers_threads",
    help: "Threads of the workers at the broker that are alive, by engine.",
    labelNames: ["engine"],
    registers,
    collect() {
      this.reset();
      for (const { engine, threads } of numbers().workers) this.set({ engine }, threads);
    },
  });
  new Counter({
    name: "ftle_workers_lost_total",
    help: "Workers that fell silent without having said that they end.",
    registers,
    collect() {
      this.reset();
      this.inc(numbers().workersLost);
    },
  });
  const streamGauge = (
    name: string,
    help: string,
    value: (stream: BrokerNumbers["streams"][number]) => number,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ["stream"],
      registers,
      collect() {
        this.reset();
        for (const stream of numbers().streams) {
          if (value(stream) >= 0) this.set({ stream: stream.name }, value(stream));
        }
      },
    });
  streamGauge("ftle_broker_stream_bytes", "Bytes in a stream.", ({ bytes }) => bytes);
  streamGauge(
    "ftle_broker_stream_max_bytes",
    `What a stream may hold; absent where the server's limit alone counts. When ${STREAMS.results} is full, workers wait.`,
    ({ maxBytes }) => maxBytes,
  );
  streamGauge("ftle_broker_stream_messages", "Messages in a stream.", ({ messages }) => messages);
}
