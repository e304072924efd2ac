import { hostname } from "node:os";
import type { Command } from "commander";
import { Option } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { UsageError } from "../../shared/errors.ts";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";
import type { MetricsAddress } from "../../shared/metrics/server.ts";
import { moduleLoader } from "../../shared/module-loader.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import type { NatsWorkerTransport } from "../../shared/transport/nats/worker-transport.ts";
import { workerTransport } from "../../shared/transport/nats/worker-transport.ts";
import { VERSION } from "../../shared/version.ts";
import { cacheFolder, contentCache } from "../../worker/content-cache.ts";
import type { EngineName } from "../../worker/engines/registry.ts";
import { createEngine, resolveEngine } from "../../worker/engines/registry.ts";
import type { WorkerEvent } from "../../worker/loop/worker-event.ts";
import type { WorkerMetricsOptions } from "../../worker/metrics/worker-metrics.ts";
import { measureRates } from "../../worker/rates.ts";
import { refuseUnsound } from "../../worker/soundness.ts";
import { CHECKPOINT_EVERY_MS } from "../../worker/tasks/train.ts";
import type { Worker } from "../../worker/worker.ts";
import { startWorker } from "../../worker/worker.ts";
import type { ExportedWorker } from "../metrics/worker-metrics.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions, withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/command.ts";
import { milliseconds } from "../terminal/durations.ts";
import { engineOption } from "../terminal/engine-option.ts";
import { counted, duration } from "../terminal/format.ts";
import { stopSignals } from "../terminal/hang-up.ts";
import type { MetricsFlags } from "../terminal/metrics-options.ts";
import { metricsOption } from "../terminal/metrics-options.ts";
import { byteCount } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";
import { withThreadOptions } from "../terminal/run-options.ts";
import { secondSignal } from "../terminal/second-signal.ts";

interface WorkerFlags extends BrokerFlags, MetricsFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly threads: number;
  readonly taskTimeout: number;
  readonly engine: EngineName | "auto";
  readonly name?: string;
  readonly cache: string;
  readonly cacheSize: number;
  readonly grace: number;
  readonly checkpointEvery: number;
  readonly exitWhenIdle: number;
  readonly endWithStdin?: boolean;
}

/** Time beyond the grace for giving tasks back; a broker that is away is not waited for any longer. */
export const FAREWELL_MS = 3_000;
/** How often a worker reports what it has done. */
const REPORT_MS = 60_000;

export function workerCommand(): Command {
  const worker = command("worker", [
    "worker --nats nats://host:4222",
    "worker --nats tls://host:4222 --nats-credentials worker.nk --nats-ca ca.pem --threads 8",
    "worker --nats nats://host:4222 --grace 15s --exit-when-idle 10m    # on a spot node, in a batch job",
    "worker --nats nats://host:4222 --metrics 0.0.0.0:9465    # for a Prometheus on another machine",
  ]).addOption(engineOption().default("auto"));
  return withThreadOptions(withBrokerOptions(worker))
    .addOption(metricsOption(METRICS_PORTS.worker))
    .option("--name <name>", "names it in status and provenance (default: host and process)")
    .addOption(
      new Option(
        "--grace <duration>",
        "on SIGTERM, let tasks continue for this long, then give them back",
      )
        .argParser(milliseconds)
        .default(10_000, "10s"),
    )
    .addOption(
      new Option("--checkpoint-every <duration>", "how often a long training saves where it is")
        .argParser(milliseconds)
        .default(CHECKPOINT_EVERY_MS, "30s"),
    )
    .addOption(
      new Option("--exit-when-idle <duration>", "end when there was nothing to do for this long")
        .argParser(milliseconds)
        .default(Number.POSITIVE_INFINITY, "never"),
    )
    .addOption(
      new Option("--cache <dir>", "keeps the data sets of sweeps over files")
        .default(cacheFolder(), "ftle in the user's folder for caches")
        .env("FTLE_CACHE"),
    )
    .addOption(
      new Option(
        "--cache-size <size>",
        "the most that it keeps: what was used longest ago goes first",
      )
        .argParser(byteCount)
        .default(10e9, "10GB")
        .env("FTLE_CACHE_SIZE"),
    )
    .option("--end-with-stdin", "stop when standard input ends: for a process that starts workers")
    .action(work);
}

async function work(flags: WorkerFlags): Promise<void> {
  const asked = askedToEnd(flags); // from the start: a worker that is stopped early ends in good order, too
  const output = createOutput(flags);
  const name = nameOf(flags);
  const { threads, taskTimeout: taskTimeoutMs } = flags;
  const engine = resolveEngine(flags.engine);
  refuseUnsound(createEngine(engine));
  const rates = measureRates(engine);
  const options = { ...brokerOptions(flags, "worker"), name: `ftle worker ${name}` };
  const exported = flags.metrics
    ? await startMetrics(flags.metrics, { name, engine, threads, rates })
    : null;
  const broker = await connectBroker(options, {
    onState: (state) => output.warn(`${state}: broker at ${place(options.url)}`),
  });
  exported?.connected(broker);
  const tally = createTally();
  const transport = workerTransport({
    broker,
    onEvent(event) {
      exported?.metrics.onTransportEvent(event);
      if (event.kind === "foreign") output.warn(`no task on ${event.subject}: ${event.reason}`);
    },
  });
  const worker = startWorker({
    transport,
    name,
    engine,
    threads,
    taskTimeoutMs,
    checkpointEveryMs: flags.checkpointEvery,
    contentCache: contentCache({
      ...{ folder: flags.cache, mostBytes: flags.cacheSize },
      onNotice: output.warn,
    }),
    onEvent(event) {
      exported?.metrics.onEvent(event);
      tally.onEvent(event);
    },
  });
  const metrics = exported?.server.place;
  await transport.announce({ name, engine, threads, version: VERSION, rates, metrics });
  const where = place(options.url);
  output.note(`worker ${name}: engine ${engine}, ${counted(threads, "thread")}, at ${where}`);
  if (metrics !== undefined) output.note(`metrics at http://${metrics}/metrics`);
  const telling = setInterval(() => output.note(tally.text()), REPORT_MS);
  try {
    const why = await Promise.race([
      asked,
      nothingToDo(flags, tally),
      connectionClosed(broker),
      worker.finished,
    ]);
    const tasks = counted(tally.running, "task");
    output.note(`${why}: draining ${tasks}, for ${duration(flags.grace / 1000)} at most`);
    exported?.drain();
    await drain(worker, transport, { graceMs: flags.grace, output });
  } finally {
    clearInterval(telling);
    await broker.close();
    await exported?.server.stop();
  }
  const { done, late, failed, returned } = tally;
  output.result(tally.text(), { name, engine, threads, done, late, failed, returned });
  process.exit(); // standard input and our signal handlers would keep the process alive
}

/** Loaded only by workers that export something. */
async function startMetrics(
  address: MetricsAddress,
  options: WorkerMetricsOptions,
): Promise<ExportedWorker> {
  const load = moduleLoader(import.meta.url);
  const { exportWorker } = await load<typeof import("../metrics/worker-metrics.ts")>(
    "../metrics/worker-metrics.ts",
  );
  return await exportWorker(address, options);
}

function nameOf({ name = `${hostname()}-${process.pid}` }: WorkerFlags): string {
  if (/^[\w.=-]{1,128}$/.test(name)) return name;
  throw new UsageError(`expected a name of letters, digits, - _ . and =, got ${name}`);
}

/** Resolves with the reason when the worker is asked to end; a second signal ends it at once. */
function askedToEnd({ endWithStdin = false }: WorkerFlags): Promise<string> {
  return new Promise((resolve) => {
    const isSecond = secondSignal();
    const onSignal = (name: string) => {
      if (isSecond(name)) process.exit(130);
      resolve(name);
    };
    for (const signal of stopSignals()) process.on(signal, onSignal);
    if (endWithStdin) process.stdin.on("end", () => resolve("end of input")).resume();
  });
}

function nothingToDo({ exitWhenIdle }: WorkerFlags, tally: Tally): Promise<string> {
  return new Promise((resolve) => {
    if (!Number.isFinite(exitWhenIdle)) return;
    const look = () => {
      if (tally.idleMs() >= exitWhenIdle) resolve(`idle for ${duration(exitWhenIdle / 1000)}`);
    };
    setInterval(look, Math.min(1_000, exitWhenIdle / 2));
  });
}

function connectionClosed({ closed }: Broker): Promise<string> {
  return new Promise((resolve) => {
    closed.addEventListener("abort", () => resolve("the connection is closed for good"));
  });
}

/** Lets tasks go on for a while, gives back what is not done then, and does not wait for a broker that is away. */
async function drain(
  worker: Worker,
  transport: NatsWorkerTransport,
  { graceMs, output }: { graceMs: number; output: Output },
): Promise<void> {
  const cancelExit = systemClock.after(graceMs + FAREWELL_MS, () => {
    output.warn(
      "the broker could not be reached; other workers get the tasks of this one when its leases end",
    );
    process.exit(0);
  });
  await worker.stop(graceMs);
  await transport.stop();
  cancelExit();
}

type Tally = ReturnType<typeof createTally>;

/** Counts what a worker does. */
function createTally() {
  let idleSince = Date.now();
  return {
    running: 0,
    done: 0,
    failed: 0,
    returned: 0,
    /** Results refused because another worker's came first; counted as done, too. */
    late: 0,
    onEvent(event: WorkerEvent) {
      if (event.kind === "leased") this.running++;
      if (event.kind !== "ended") return;
      this.running--;
      idleSince = Date.now();
      if (event.outcome === "late") this.late++;
      if (event.outcome === "done" || event.outcome === "late") this.done++;
      else if (event.outcome === "returned") this.returned++;
      else this.failed++;
    },
    idleMs() {
      return this.running > 0 ? 0 : Date.now() - idleSince;
    },
    text() {
      const parts = [`${counted(this.done, "task")} done`];
      if (this.late > 0) parts.push(`${this.late} of them too late`);
      if (this.failed > 0) parts.push(`${this.failed} failed`);
      if (this.returned > 0) parts.push(`${this.returned} given back`);
      if (this.running > 0) parts.push(`${this.running} running`);
      return parts.join(", ");
    },
  };
}
