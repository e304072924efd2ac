/** Publishes tasks, as many at a time as the workers can take. */
import type { Job } from "./backlog.ts";
import { contentsOf, offerContent } from "./offer-content.ts";
import type { Run } from "./run.ts";
import { offerWeights } from "./weights-in-use.ts";

/** Enough to hide the latency of a distant broker; 10⁵ requests at a time would take a gigabyte of memory. */
const MOST_PUBLISHING = 256;

/** Keeps `flight` tasks published; resolves when none is left. */
export function handOut(run: Run): Promise<void> {
  return new Promise((resolve) => {
    run.topUp = () => {
      if (run.over.signal.aborted) return;
      const flight = run.flight();
      while (run.jobs.size < flight && run.publishing < MOST_PUBLISHING) {
        const job = run.backlog.next();
        if (job === undefined) break;
        begin(run, job);
      }
      const beside = run.analyses?.beside.length ?? 0;
      if (run.jobs.size + run.publishing + run.storing + beside === 0) resolve();
    };
    run.topUp();
  });
}

function begin(run: Run, job: Job): void {
  run.jobs.set(job.task.id, job);
  run.publishing++;
  publish(run, job).then(() => {
    run.publishing--;
    run.topUp();
  }, run.fail);
}

async function publish(run: Run, job: Job): Promise<void> {
  if (job.task.kind !== "train") await offerWeights(run, job.task);
  for (const digest of contentsOf(run.plan, job.task)) await offerOnce(run, digest);
  run.over.signal.throwIfAborted();
  // An earlier coordinator's task may have ended while its weights were uploaded.
  if (run.jobs.has(job.task.id)) await run.transport.publish(job.task);
}

function offerOnce(run: Run, digest: string): Promise<void> {
  const begun = run.contentOffers.get(digest);
  const offer = begun ?? offerContent({ ...run, directory: run.store.directory }, digest);
  run.contentOffers.set(digest, offer);
  return offer;
}
