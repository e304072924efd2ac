/** A worker process with two threads, two of whose tasks are poison: `node chaos-worker.ts URL NAME`. */
import { moduleFile } from "../../../shared/testing/repository.ts";
import { connectBroker } from "../../../shared/transport/nats/connect.ts";
import { workerTransport } from "../../../shared/transport/nats/worker-transport.ts";
import { startWorker } from "../../../worker/worker.ts";
import { ENGINE } from "./poison.ts";

const [url, name] = process.argv.slice(2) as [string, string];
const broker = await connectBroker({ url });
const transport = workerTransport({ broker, beatMs: 500 });
const rates = { train: 1e9, field: 1e9 };
startWorker({
  transport,
  name,
  engine: ENGINE,
  threads: 2,
  threadFile: moduleFile("cli/test/support/poison"),
});
await transport.announce({ name, engine: ENGINE, threads: 2, version: "0", rates });
