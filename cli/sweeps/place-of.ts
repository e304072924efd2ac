import type { Command } from "commander";
import { UsageError } from "../../shared/errors.ts";
import { moduleLoader } from "../../shared/module-loader.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { localWork } from "../places/here.ts";
import type { WorkPlace } from "../places/place.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions, hasBroker } from "../terminal/broker-options.ts";
import { counted } from "../terminal/format.ts";
import type { RunFlags } from "../terminal/run-options.ts";
import type { PlannedSweep } from "./stored-sweep.ts";
import { refuseMissingEngine } from "./stored-sweep.ts";

/** The flags that say where a run's tasks are computed, and how. */
export type PlaceFlags = BrokerFlags & RunFlags;

interface PlaceContext {
  readonly metrics: RunMetrics | null;
  /** Receives messages for the user about workers and broker. */
  onNotice(line: string): void;
}

type BrokerModule = typeof import("../places/broker.ts");
type ClusterModule = typeof import("../places/cluster.ts");

const load = moduleLoader(import.meta.url);

/** @throws UsageError for an option that would do nothing where the tasks are computed. */
export function refuseIdleFlags(self: Command, flags: PlaceFlags): void {
  const [names, why] = isElsewhere(flags)
    ? [["threads", "task-timeout"], "is each worker's own: give it to ftle worker"]
    : [["priority", "lease", "keep"], "is for sweeps at a broker: give --nats, too"];
  const given = (name: string) => self.getOptionValueSource(name.replace("-t", "T")) === "cli";
  const idle = names.filter(given).map((name) => `--${name} ${why}`);
  if (idle.length > 0) throw new UsageError(idle.join("; "));
}

/**
 * Where the flags say that tasks are computed, and what the run's headline calls that.
 * @throws UsageError if the tasks are computed on this machine, and it does not have the engine.
 */
export async function placeOf(
  { plan }: PlannedSweep,
  flags: PlaceFlags,
  { metrics, onNotice }: PlaceContext,
): Promise<{ workPlace: WorkPlace; where: string }> {
  const { threads, taskTimeout: taskTimeoutMs, priority, lease: leaseMs, keep = false } = flags;
  if (isElsewhere(flags)) {
    const broker = brokerOptions(flags, "coordinator");
    const { natsWork, place } = await load<BrokerModule>("../places/broker.ts");
    const workPlace = natsWork({ broker, priority, leaseMs, keep, metrics, onNotice });
    return { workPlace, where: `workers at ${place(broker.url)}` };
  }
  refuseMissingEngine(plan.engine);
  if (!flags.cluster) {
    const workPlace = localWork({ threads, taskTimeoutMs, registry: metrics?.registry });
    return { workPlace, where: counted(threads, "thread") };
  }
  const { clusterWork } = await load<ClusterModule>("../places/cluster.ts");
  const workPlace = clusterWork({ threads, taskTimeoutMs, metrics, onNotice });
  return {
    workPlace,
    where: `a cluster on this machine, ${counted(threads, "worker")} of one thread`,
  };
}

/** Whether workers at a broker compute. */
function isElsewhere(flags: PlaceFlags): boolean {
  return hasBroker(flags) && !flags.cluster;
}
