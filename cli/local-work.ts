import { hostname } from "node:os";
import { localTransport } from "../shared/local-transport.ts";
import type { Transport } from "../shared/transport.ts";
import { startWorker } from "../worker/worker.ts";

interface LocalWork {
  readonly engine: string;
  readonly threads: number;
  readonly taskTimeoutMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Gives `use` a transport with a worker at its other end, in this process, and stops both when it is
 * done. The signal that `use` gets aborts also when the worker fails.
 */
export async function withLocalWorker<T>(
  { engine, threads, taskTimeoutMs = Number.POSITIVE_INFINITY, signal }: LocalWork,
  use: (transport: Transport, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const transport = localTransport();
  const name = `${hostname()}-${process.pid}`;
  const worker = startWorker({ transport, name, engine, threads, taskTimeoutMs });
  const either = new AbortController();
  const onAbort = () => either.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  worker.finished.catch((error) => either.abort(error));
  try {
    return await use(transport, either.signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
    await worker.stop();
    await transport.stop();
  }
}
