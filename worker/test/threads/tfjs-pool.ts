/** A process whose threads load TensorFlow together, train and compute a field; prints digests of their results. */
import { createHash } from "node:crypto";
import { isMainThread } from "node:worker_threads";
import { Piscina } from "piscina";
import { createOptimizerState } from "../../../shared/numerics/optimizers.ts";
import { prepareTensorFlow } from "../../engines/tfjs/load.ts";
import { loadTfjs } from "../../engines/tfjs.ts";
import { somePoints, tanhNetwork, weightsOf } from "../../testing/engine-fixtures.ts";

// Threads load this file as CommonJS, which has no top-level await.
if (isMainThread) void runPool(Number(process.argv[2]));

async function runPool(threads: number): Promise<void> {
  prepareTensorFlow();
  const pool = new Piscina({
    filename: import.meta.url,
    minThreads: threads,
    maxThreads: threads,
  });
  const digests = await Promise.all(Array.from({ length: threads }, () => pool.run({})));
  console.log(digests.join("\n"));
  await pool.destroy();
}

export default function digestOfResults(): string {
  const loaded = loadTfjs();
  if ("missing" in loaded) return loaded.missing;
  const network = loaded.engine.load(tanhNetwork, weightsOf(tanhNetwork));
  const optimizer = { name: "rmsprop", learningRate: 0.01, decay: 0.9, epsilon: 1e-8 } as const;
  const samples = 64;
  network.train(
    { samples, inputs: somePoints(2 * samples), targets: somePoints(samples) },
    Uint32Array.from({ length: samples }, (_, i) => i),
    { loss: "squared-error", optimizer, batch: 4, weightDecay: 0.1, frozen: [true, false, false] },
    createOptimizerState(optimizer, tanhNetwork),
  );
  const x = Float64Array.from({ length: 40 }, (_, i) => i / 10 - 2);
  const { lambda1, output } = network.field({ x, y: x, layers: "all" });
  network.dispose();
  return createHash("sha256").update(lambda1).update(output).digest("hex");
}
