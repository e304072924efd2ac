import { after, before } from "node:test";
import type { TestServer } from "../testing/nats-server.ts";
import { startNatsServer } from "../testing/nats-server.ts";
import { transportContract } from "../testing/transport-contract.ts";
import { connectBroker } from "../transport/nats/connect.ts";
import { coordinatorTransport } from "../transport/nats/coordinator-transport.ts";
import { workerTransport } from "../transport/nats/worker-transport.ts";

const leaseMs = 900;
const policy = { leaseMs, maxDeliveries: 5, backoffMs: (n: number) => 100 * n };

let server: TestServer;
before(async () => {
  server = await startNatsServer();
});
after(async () => {
  await server.stop();
});

transportContract("nats", policy, async () => {
  const url = server.url;
  const brokers = [await connectBroker({ url }), await connectBroker({ url })] as const;
  const coordinator = coordinatorTransport({ broker: brokers[0], leaseMs, checkMs: 500 });
  const worker = workerTransport({ broker: brokers[1], policy, beatMs: 50, pullMs: 200 });
  const stop = async () => {
    await Promise.all([coordinator.stop(), worker.stop()]);
  };
  return {
    transport: { ...worker, ...coordinator, lease: worker.lease, announce: worker.announce, stop },
    passTime: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async stop() {
      await stop();
      const cleaner = coordinatorTransport({ broker: brokers[0] });
      for (const sweep of ["s", "another"]) await cleaner.cancel(sweep);
      for (const broker of brokers) await broker.close();
    },
  };
});
