/** A coordinator of no-op tasks: publishes with a bounded number unfinished, and acknowledges each result. */
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import { coordinatorTransport } from "../../shared/transport/nats/coordinator-transport.ts";
import { INBOXES } from "../../shared/transport/nats/names.ts";
import type { CoordinatorTransport } from "../../shared/transport/transport.ts";
import { ENGINE, SWEEP, taskOf } from "./no-op.ts";
import { serve } from "./processes.ts";

const settle = new Map<string, () => void>();
let transport: CoordinatorTransport;
let flight: number;

async function collect(): Promise<never> {
  for await (const outcome of transport.outcomes(SWEEP, { signal: new AbortController().signal })) {
    if (outcome.kind === "dead") throw new Error(outcome.letter.reason.message);
    await outcome.ack();
    settle.get(outcome.result.task)?.();
  }
  throw new Error("the outcomes have ended");
}

await serve({
  async start({ url, flight: most }: { url: string; flight: number }) {
    const broker = await connectBroker({ url, inboxPrefix: INBOXES.coordinator });
    const ours = coordinatorTransport({ broker });
    await ours.open({ engine: ENGINE, sweep: SWEEP, priority: "normal" });
    transport = ours;
    flight = most;
    void collect(); // a failure ends this process
    return {};
  },

  async run({ from, count }: { from: number; count: number }) {
    let next = from;
    const start = performance.now();
    const lanes = Array.from({ length: flight }, async () => {
      while (next < from + count) {
        const id = `task-${next++}`;
        const settled = new Promise<void>((resolve) => settle.set(id, resolve));
        await transport.publish(taskOf(id));
        await settled;
        settle.delete(id);
      }
    });
    await Promise.all(lanes);
    return { seconds: (performance.now() - start) / 1000 };
  },
});
