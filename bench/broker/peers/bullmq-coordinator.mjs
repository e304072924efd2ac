/** Adds tasks with a bounded number unfinished, and receives each result, as `coordinator-child.ts` does. */
import { Queue, QueueEvents } from "bullmq";
import { serve } from "./serve.mjs";

let queue;
let task;
let flight;
const settle = new Map();

await serve({
  async start(given) {
    const connection = { host: "127.0.0.1", port: given.port };
    ({ task, flight } = given);
    queue = new Queue("tasks", {
      connection,
      defaultJobOptions: { removeOnComplete: true, attempts: 5 },
    });
    const events = new QueueEvents("tasks", { connection });
    events.on("completed", ({ jobId, returnvalue }) => {
      if (returnvalue.task !== jobId) throw new Error(`found ${returnvalue.task} for ${jobId}`);
      settle.get(jobId)();
    });
    await events.waitUntilReady();
  },

  async run({ from, count }) {
    let next = from;
    const start = performance.now();
    const lanes = Array.from({ length: flight }, async () => {
      while (next < from + count) {
        const id = `task-${next++}`;
        const settled = new Promise((resolve) => settle.set(id, resolve));
        await queue.add("task", { ...task, id }, { jobId: id });
        await settled;
        settle.delete(id);
      }
    });
    await Promise.all(lanes);
    return { seconds: (performance.now() - start) / 1000 };
  },
});
