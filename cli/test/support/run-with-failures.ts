import { runSweep } from "../../../coordinator/run/run-sweep.ts";
import { readSweep } from "../../../coordinator/spec/read-sweep.ts";
import { scanStore } from "../../../coordinator/store/scan.ts";
import { openStore } from "../../../coordinator/store/store.ts";
import { moduleFile } from "../../../shared/testing/repository.ts";
import { localTransport } from "../../../shared/transport/local.ts";
import { startWorker } from "../../../worker/worker.ts";
import { planFor } from "../../sweeps/stored-sweep.ts";

/** Runs a sweep to its end with a worker that fails at some tasks, and gives them up at the second try. */
export async function runWithFailures(spec: string, directory: string): Promise<void> {
  const read = await readSweep(spec);
  const { plan } = await planFor(directory, read);
  const store = await openStore(directory);
  const policy = { leaseMs: 30_000, maxDeliveries: 2, backoffMs: () => 0 };
  const transport = localTransport({ policy });
  const threadFile = moduleFile("cli/test/support/failing-thread");
  const { engine } = plan;
  const worker = startWorker({ transport, name: "failing", engine, threads: 1, threadFile });
  try {
    await store.putSweep(read.sweep, { source: read.text, engine });
    const state = await scanStore(plan, { directory, thorough: true });
    const signal = AbortSignal.timeout(60_000);
    await runSweep({ plan, store, state, transport, flight: () => 2, signal, onEvent() {} });
  } finally {
    await worker.stop();
    await transport.stop();
    await store.close();
  }
}
