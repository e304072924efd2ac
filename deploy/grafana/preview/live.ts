/** Something to show: a sweep of some minutes with three workers, one of which is killed, and a task that must be given up. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Running } from "../../../cli/test/support/ftle.ts";
import { spawnFtle } from "../../../cli/test/support/ftle.ts";
import { until } from "../../../cli/test/support/until.ts";
import { startNatsServer } from "../../../shared/testing/nats-server.ts";
import { startPrometheus } from "../../testing/prometheus.ts";

const SPEC = `
name: live
axes: {width: [20, 50, 80, 400], depth: [2, 4, 8], seed: {count: 8}}
where: width < 100 or (depth == 8 and seed == 0)
data: {name: circle, samples: 20000}
training: {epochs: 40, batch: 32}
field: {points: 1024, tile: 128}
engine: native
`;
/** From the start to the pictures. */
const RUN_MS = 200_000;

/** @param use is called with Prometheus' URL while the sweep runs. */
export async function live(use: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-live-"));
  const spec = join(folder, "live.yaml");
  await writeFile(spec, SPEC);
  const broker = await startNatsServer();
  const started: Running[] = [];
  const start = (...args: string[]) => {
    const running = spawnFtle(...args, "--nats", broker.url, "--metrics", "0");
    started.push(running);
    return running;
  };
  const worker = (name: string) =>
    start("worker", "--engine", "native", "--threads", "1", "--name", name, "--task-timeout", "9s");
  try {
    const out = join(folder, "out");
    const coordinator = start("run", spec, "--out", out, "--no-plot", "--deadline", "10m");
    const place = () => /metrics at http:\/\/(\S+)\/metrics/.exec(coordinator.stderr())?.[1];
    await until("it says where its metrics are", () => place() !== undefined);
    const [first] = ["a", "b", "c"].map(worker);
    const rules = ["recording", "alerts"].map((name) =>
      readFile(new URL(`../../prometheus/rules/${name}.yml`, import.meta.url), "utf8"),
    );
    const prometheus = await startPrometheus(scraping(place()!), await Promise.all(rules));
    try {
      await pause(RUN_MS / 2);
      first!.kill("SIGKILL");
      await pause(RUN_MS / 8);
      worker("d");
      await pause((3 * RUN_MS) / 8);
      await use(prometheus.url);
    } finally {
      await prometheus.stop();
    }
  } finally {
    for (const running of started) running.kill("SIGKILL");
    await Promise.all(started.map(({ ended }) => ended));
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function scraping(coordinator: string): object {
  return {
    global: { scrape_interval: "2s", evaluation_interval: "2s" },
    scrape_configs: [
      { job_name: "ftle-coordinator", static_configs: [{ targets: [coordinator] }] },
      {
        job_name: "ftle-worker",
        http_sd_configs: [{ url: `http://${coordinator}/workers`, refresh_interval: "2s" }],
        relabel_configs: [{ action: "labeldrop", regex: "engine|worker" }],
      },
    ],
  };
}
