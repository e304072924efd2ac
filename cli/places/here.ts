import { hostname } from "node:os";
import type { Registry } from "prom-client";
import { moduleLoader } from "../../shared/module-loader.ts";
import { localTransport } from "../../shared/transport/local.ts";
import type { WorkerEvent } from "../../worker/loop/worker-event.ts";
import { measureRates } from "../../worker/rates.ts";
import { startWorker } from "../../worker/worker.ts";
import type { WorkPlace } from "./place.ts";

const load = moduleLoader(import.meta.url);
type WorkerMetricsModule = typeof import("../../worker/metrics/worker-metrics.ts");

interface LocalWork {
  readonly threads: number;
  readonly taskTimeoutMs?: number;
  /** Exports what the threads do, too. */
  readonly registry?: Registry | undefined;
}

/**
 * Computes in threads of this process. The signal that `use` gets aborts also when the worker fails.
 */
export function localWork({
  threads,
  taskTimeoutMs = Number.POSITIVE_INFINITY,
  registry,
}: LocalWork): WorkPlace {
  return async ({ engine }, signal, use) => {
    const rates = measureRates(engine);
    const transport = localTransport();
    const name = `${hostname()}-${process.pid}`;
    const metrics =
      registry &&
      (await load<WorkerMetricsModule>("../../worker/metrics/worker-metrics.ts")).workerMetrics(
        registry,
        { name, engine, threads, rates },
      );
    const onEvent = (event: WorkerEvent) => metrics?.onEvent(event);
    const worker = startWorker({ transport, name, engine, threads, taskTimeoutMs, onEvent });
    const either = new AbortController();
    const onAbort = () => either.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    worker.finished.catch((error) => either.abort(error));
    try {
      return await use({
        transport,
        signal: either.signal,
        threads: () => threads,
        rates: () => rates,
        note: () => "",
        isPaused: () => false,
        queue: () => null,
        report() {},
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      await worker.stop();
      await transport.stop();
    }
  };
}
