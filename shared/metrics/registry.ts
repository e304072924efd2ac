/** What coordinators and workers both export. Names follow prometheus.io/docs/practices/naming. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Broker } from "../transport/nats/connect.ts";
import { VERSION } from "../version.ts";

/** Prefix of all our metrics. */
export const METRICS_PREFIX = "ftle_";

export function createRegistry(): Registry {
  const registry = new Registry();
  new Gauge({
    name: "ftle_build_info",
    help: "1; the labels are the versions of ftle and of Node.",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version: VERSION, node: process.versions.node }, 1);
  return registry;
}

/** `process_*` and `nodejs_*`: memory, processor time, garbage collection, lag of the main thread's event loop. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}

export function addBrokerMetrics(registry: Registry, broker: BrokerState): void {
  new Gauge({
    name: "ftle_broker_connected",
    help: "1 while connected to the broker, 0 while it is away.",
    registers: [registry],
    collect() {
      this.set(broker.isConnected() ? 1 : 0);
    },
  });
  new Counter({
    name: "ftle_broker_reconnects_total",
    help: "Connections to the broker that came back.",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(broker.reconnects());
    },
  });
}

export type BrokerState = Pick<Broker, "isConnected" | "reconnects">;
