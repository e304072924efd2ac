/** Answers each task at once, eight at a time, as `worker-child.ts` does. */
import { Worker } from "bullmq";
import { serve } from "./serve.mjs";

await serve({
  async start({ port, slots, result }) {
    const worker = new Worker("tasks", async (job) => ({ ...result, task: job.id }), {
      connection: { host: "127.0.0.1", port },
      concurrency: slots,
    });
    await worker.waitUntilReady();
  },
});
