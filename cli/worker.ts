import { hostname } from "node:os";
import type { Command } from "commander";
import { Option } from "commander";
import { FtleError, UsageError } from "../shared/errors.ts";
import { connectBroker, place } from "../shared/nats/connect.ts";
import { workerTransport } from "../shared/nats/worker-transport.ts";
import { exactChecks } from "../shared/numerics/exact-checks.ts";
import type { Lease, WorkerTransport } from "../shared/transport.ts";
import { VERSION } from "../shared/version.ts";
import type { EngineName } from "../worker/engines/registry.ts";
import { createEngine, resolveEngine } from "../worker/engines/registry.ts";
import { measureRates } from "../worker/rates.ts";
import { startWorker } from "../worker/worker.ts";
import type { BrokerFlags } from "./broker-options.ts";
import { brokerOptions, withBrokerOptions } from "./broker-options.ts";
import { counted, duration } from "./format.ts";
import { command, engineOption, milliseconds, withThreadOptions } from "./options.ts";
import { createOutput } from "./output.ts";

interface WorkerFlags extends BrokerFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly threads: number;
  readonly taskTimeout: number;
  readonly engine: EngineName | "auto";
  readonly name?: string;
  readonly grace: number;
  readonly exitWhenIdle: number;
  readonly endWithStdin?: boolean;
}

/** What giving tasks back may take beyond the grace; a broker that is away cannot be told. */
const FAREWELL_MS = 3_000;
/** How often a worker says what it has done. */
const REPORT_MS = 60_000;

/** This machine's arithmetic is wrong: it may not compute for others. */
class UnsoundEngineError extends FtleError {
  override readonly name = "UnsoundEngineError";
}

export function workerCommand(): Command {
  const worker = command("worker", "compute tasks for the sweeps at a broker, until stopped", [
    "worker --nats nats://host:4222",
    "worker --nats tls://host:4222 --nats-credentials worker.nk --nats-ca ca.pem --threads 8",
    "worker --nats nats://host:4222 --grace 15s --exit-when-idle 10m    # on a spot node, in a batch job",
  ]).addOption(engineOption().default("auto"));
  return withThreadOptions(withBrokerOptions(worker))
    .option("--name <name>", "names it in status and provenance (default: host and process)")
    .addOption(
      new Option(
        "--grace <duration>",
        "on SIGTERM, let tasks go on for so long, then give them back",
      )
        .argParser(milliseconds)
        .default(10_000, "10s"),
    )
    .addOption(
      new Option("--exit-when-idle <duration>", "end when there was nothing to do for so long")
        .argParser(milliseconds)
        .default(Number.POSITIVE_INFINITY, "never"),
    )
    .option("--end-with-stdin", "stop when standard input ends: for a process that starts workers")
    .action(async (flags: WorkerFlags) => {
      const output = createOutput(flags);
      const id = resolveEngine(flags.engine);
      const { threads, taskTimeout: taskTimeoutMs } = flags;
      refuseUnsound(id);
      const rates = measureRates(id);
      const options = brokerOptions(flags, "worker");
      const name = flags.name ?? `${hostname()}-${process.pid}`;
      if (!/^[\w.=-]{1,128}$/.test(name)) {
        throw new UsageError(`expected a name of letters, digits, - _ . and =, got ${name}`);
      }
      const broker = await connectBroker(
        { ...options, name: `ftle worker ${name}` },
        { onState: (state) => output.warn(`${state}: broker at ${place(options.url)}`) },
      );
      const counts = { done: 0, late: 0, failed: 0, returned: 0, foreign: 0 };
      const since = { idle: Date.now() };
      const transport = workerTransport({
        broker,
        onEvent(event) {
          if (event.kind === "late") counts.late++;
          if (event.kind !== "foreign") return;
          counts.foreign++;
          output.warn(`message on ${event.subject} is not a task: ${event.reason}`);
        },
      });
      const running = new Set<Lease>();
      const worker = startWorker({
        transport: watched(transport, {
          onStart: (lease) => running.add(lease),
          onEnd(lease, ending) {
            running.delete(lease);
            since.idle = Date.now();
            if (ending === "done") counts.done++;
            else if (ending === "returned") counts.returned++;
            else counts.failed++;
          },
        }),
        name,
        engine: id,
        threads,
        taskTimeoutMs,
      });
      await transport.announce({ name, engine: id, threads, version: VERSION, rates });
      output.note(
        `worker ${name}: engine ${id}, ${counted(threads, "thread")}, at ${place(options.url)}`,
      );

      const ending = new Promise<string>((resolve) => {
        const onSignal = (signal: string) => {
          if (isEnding) process.exit(130); // the second one
          isEnding = true;
          resolve(signal);
        };
        let isEnding = false;
        for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, onSignal);
        if (flags.endWithStdin) process.stdin.on("end", () => resolve("end of input")).resume();
        if (Number.isFinite(flags.exitWhenIdle)) {
          setInterval(
            () => {
              const idleMs = running.size > 0 ? 0 : Date.now() - since.idle;
              if (idleMs >= flags.exitWhenIdle) resolve(`idle for ${duration(idleMs / 1000)}`);
            },
            Math.min(1_000, flags.exitWhenIdle / 2),
          );
        }
        broker.closed.addEventListener("abort", () => resolve("the connection is closed for good"));
      });
      const telling = setInterval(() => output.note(said(counts, running.size)), REPORT_MS);
      try {
        const why = await Promise.race([ending, worker.finished.then(() => "finished")]);
        output.note(
          `${why}: draining ${counted(running.size, "task")}, at most ${duration(flags.grace / 1000)}`,
        );
        const last = setTimeout(() => {
          output.warn(
            "the broker could not be told; its leases of ours end by themselves within a minute",
          );
          process.exit(0);
        }, flags.grace + FAREWELL_MS);
        await worker.stop(flags.grace);
        await transport.stop();
        clearTimeout(last);
      } finally {
        clearInterval(telling);
        await broker.close();
      }
      output.result(said(counts, 0), { name, engine: id, threads, ...counts });
      process.exit(); // signal handlers and standard input would keep us
    });
}

function said(
  { done, late, failed, returned }: Record<"done" | "late" | "failed" | "returned", number>,
  running: number,
): string {
  const parts = [`${counted(done, "task")} done`];
  if (late > 0) parts.push(`${late} of them too late`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (returned > 0) parts.push(`${returned} given back`);
  if (running > 0) parts.push(`${running} running`);
  return parts.join(", ");
}

/** @throws UnsoundEngineError if an exact result comes out wrong here; InvalidTaskError if the engine is not here. */
function refuseUnsound(id: string): void {
  const engine = createEngine(id);
  const wrong = exactChecks
    .map((check) => ({ name: check.name, ...check.run(engine) }))
    .filter(({ ok }) => !ok);
  if (wrong.length === 0) return;
  const faults = wrong.map(
    ({ name, measured, expected, tolerance }) =>
      `${name}: expected ${expected} ± ${tolerance}, found ${measured}`,
  );
  throw new UnsoundEngineError(
    `this machine's engine ${id} gives wrong results and may not compute for others; ftle doctor says more. ${faults.join("; ")}`,
  );
}

interface LeaseWatcher {
  onStart(lease: Lease): void;
  onEnd(lease: Lease, ending: "done" | "failed" | "returned"): void;
}

/** The same transport, whose leases tell when they begin and how they end. */
function watched(transport: WorkerTransport, { onStart, onEnd }: LeaseWatcher): WorkerTransport {
  return {
    ...transport,
    async lease(options) {
      const lease = await transport.lease(options);
      const ends =
        <A extends unknown[], T>(
          ending: "done" | "failed" | "returned",
          act: (...args: A) => Promise<T>,
        ) =>
        async (...args: A) => {
          try {
            return await act(...args);
          } finally {
            onEnd(watchedLease, ending);
          }
        };
      const watchedLease: Lease = {
        ...lease,
        complete: ends("done", lease.complete),
        fail: ends("failed", lease.fail),
        reject: ends("failed", lease.reject),
        giveBack: ends("returned", lease.giveBack),
      };
      onStart(watchedLease);
      return watchedLease;
    },
  };
}
