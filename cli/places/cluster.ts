import { spawn } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { engineWithId } from "../../worker/engines/registry.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { natsWork } from "./broker.ts";
import { startEmbeddedBroker } from "./embedded-broker.ts";
import type { WorkPlace } from "./place.ts";

interface ClusterWork {
  /** How many worker processes, of one thread each. */
  readonly threads: number;
  readonly taskTimeoutMs: number;
  /** If the run is exported, so are the workers' own metrics. */
  readonly metrics: RunMetrics | null;
  onNotice(line: string): void;
}

/** A worker that ends is started again after this time. */
const RESTART_MS = 1_000;

/** Computes in worker processes of this machine, over a broker of their own: a cluster in small. */
export function clusterWork({ threads, taskTimeoutMs, metrics, onNotice }: ClusterWork): WorkPlace {
  return async (sweep, signal, use) => {
    const broker = await startEmbeddedBroker();
    const { name: engine } = engineWithId(sweep.engine)!;
    const args = ["--threads", "1", "--engine", engine];
    if (Number.isFinite(taskTimeoutMs)) args.push("--task-timeout", `${taskTimeoutMs}ms`);
    if (metrics !== null) args.push("--metrics", "127.0.0.1:0");
    const workers = Array.from({ length: threads }, (_, i) =>
      keepWorker({ name: `local-${i + 1}`, args, url: broker.url, onNotice }),
    );
    try {
      const options = { url: broker.url, name: "ftle coordinator" };
      const place = natsWork({
        ...{ broker: options, priority: "normal", keep: false, metrics, onNotice },
      });
      return await place(sweep, AbortSignal.any([signal, broker.lost]), use);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
      await broker.stop();
    }
  };
}

interface KeptWorker {
  readonly name: string;
  readonly args: readonly string[];
  /** The broker's, with its password. */
  readonly url: string;
  onNotice(line: string): void;
}

/** A worker process that is started again when it dies, and ends with us, however we end. */
function keepWorker({ name, args, url, onNotice }: KeptWorker) {
  let isOver = false;
  let child = start();
  let timer: NodeJS.Timeout | undefined;

  function start() {
    // The password is passed in the environment, which other users cannot read. Neither the keys for the user's
    // own broker nor our own port for metrics are for the workers.
    const {
      FTLE_NATS_CREDENTIALS: _,
      FTLE_NATS_CA: __,
      FTLE_METRICS: ___,
      ...inherited
    } = process.env;
    const env = { ...inherited, FTLE_NATS: url };
    const all = [
      "worker",
      "--name",
      name,
      ...args,
      "--quiet",
      "--end-with-stdin",
      "--grace",
      "1ms",
    ];
    const started = spawn(process.execPath, [...process.execArgv, main(), ...all], {
      env,
      stdio: ["pipe", "ignore", "inherit"],
      detached: true, // Ctrl-C is for us; we stop the workers
    });
    started.stdin.on("error", () => {}); // it has ended, which is handled below
    started.once("exit", (code, signal) => {
      if (isOver) return;
      onNotice(`worker ${name} ended (${signal ?? code}); starting another`);
      timer = setTimeout(() => {
        child = start();
      }, RESTART_MS);
    });
    return started;
  }

  return {
    async stop() {
      isOver = true;
      clearTimeout(timer);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    },
  };
}

/** The program's main module, source or build. */
function main(): string {
  return fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
}
