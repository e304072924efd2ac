/** A worker that answers each no-op task at once. */
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import { INBOXES } from "../../shared/transport/nats/names.ts";
import { workerTransport } from "../../shared/transport/nats/worker-transport.ts";
import { ENGINE, resultOf } from "./no-op.ts";
import { serve } from "./processes.ts";

await serve({
  async start({ url, slots }: { url: string; slots: number }) {
    const broker = await connectBroker({ url, inboxPrefix: INBOXES.worker });
    const transport = workerTransport({ broker });
    const rates = { train: 1e9, field: 1e9 };
    await transport.announce({ name: "w1", engine: ENGINE, threads: slots, version: "0", rates });
    const { signal } = new AbortController();
    const work = async () => {
      for (;;) {
        const lease = await transport.lease({ worker: "w1", engine: ENGINE, signal });
        const outcome = await lease.complete(resultOf(lease.task.id));
        if (outcome !== "stored") throw new Error(`${lease.task.id} had a result`);
      }
    };
    for (let slot = 0; slot < slots; slot++) void work(); // a failure of one ends this process
    return {};
  },
});
