/** Real workers, a real broker and a real Prometheus: every panel has something to show, and what breaks is reported. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inFolder } from "../../cli/test/support/folder.ts";
import type { Running } from "../../cli/test/support/ftle.ts";
import { spawnFtle } from "../../cli/test/support/ftle.ts";
import { journalled } from "../../cli/test/support/stored.ts";
import { until } from "../../cli/test/support/until.ts";
import { longTest } from "../../shared/testing/long.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { panelQueries } from "../grafana/src/queries.ts";
import type { TestPrometheus } from "../testing/prometheus.ts";
import { startPrometheus } from "../testing/prometheus.ts";

/** Tiles of a tenth of a second for minutes, small trainings, and one that takes longer than its workers allow. */
const SPEC = `
name: live
axes: {width: [24, 160], depth: [4], seed: {count: 12}}
where: width < 100 or seed == 0
data: {name: circle, samples: 4000}
training: {epochs: 6, batch: 20}
field: {points: 512, tile: 32}
engine: reference
`;
const WORKERS = 3;
/** Five attempts with their pauses, and a worker's silence, take 20 s each where nothing else runs. */
const PATIENCE_MS = 180_000;

longTest(
  "live: every panel has data of a real sweep, no alert is active; then what breaks is reported",
  async () => {
    await inFolder(async (folder) => {
      const spec = join(folder, "live.yaml");
      const out = join(folder, "out");
      await writeFile(spec, SPEC);
      const broker = await startNatsServer();
      const started: Running[] = [];
      const start = (...args: string[]) => {
        const running = spawnFtle(...args, "--nats", broker.url, "--metrics", "0");
        started.push(running);
        return running;
      };
      let prometheus: TestPrometheus | null = null;
      try {
        const coordinator = start("run", spec, "--out", out, "--no-plot", "--deadline", "1m");
        const workers = Array.from({ length: WORKERS }, (_, i) =>
          start(
            ...["worker", "--engine", "reference", "--threads", "1"],
            ...["--name", `w${i}`, "--task-timeout", "2s"],
          ),
        );
        prometheus = await startPrometheus(
          scrapeConfig(await placeOf(coordinator)),
          await Promise.all(["recording", "alerts"].map(quickRules)),
        );
        await until("some results are stored", async () => (await journalled(out)).length > 10);
        await assertPanels(prometheus);
        await assertRules(prometheus);
        await activeAlert(prometheus, "FtleDeadLetters");
        assert.deepEqual(
          (await names(prometheus)).filter((name) => !EXPECTED_EARLY.has(name)),
          [],
        );

        workers[0]!.kill("SIGKILL");
        for (const worker of workers.slice(1)) worker.kill("SIGSTOP");
        await activeAlert(prometheus, "FtleWorkerLost");
        await activeAlert(prometheus, "FtleSweepStalled");
        await activeAlert(prometheus, "FtleNoWorkers");
        for (const worker of workers.slice(1)) worker.kill("SIGCONT");
        await broker.kill();
        await activeAlert(prometheus, "FtleBrokerDisconnected");
        coordinator.kill("SIGKILL");
        await activeAlert(prometheus, "FtleCoordinatorDown");
      } finally {
        for (const running of started) running.kill("SIGKILL");
        await Promise.all(started.map(({ ended }) => ended));
        await prometheus?.stop();
        await broker.stop();
      }
    });
  },
);

/** What this sweep brings about by itself. */
const EXPECTED_EARLY = new Set([
  "FtleDeadLetters", // its large network takes longer than its workers allow
  "FtleRedeliveryHigh", // and is tried five times
  "FtleTaskFailureRateHigh",
  "FtleEtaSlip", // it is to be done in a minute
  "FtleWorkersStarved",
  "FtleWorkersHeterogeneous",
]);

async function placeOf(running: Running): Promise<string> {
  const said = () => /metrics at http:\/\/(\S+)\/metrics/.exec(running.stderr())?.[1];
  await until("it says where its metrics are", () => said() !== undefined);
  return said()!;
}

/** The workers are found through the coordinator. */
function scrapeConfig(coordinator: string): object {
  return {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    scrape_configs: [
      { job_name: "ftle-coordinator", static_configs: [{ targets: [coordinator] }] },
      {
        job_name: "ftle-worker",
        http_sd_configs: [{ url: `http://${coordinator}/workers`, refresh_interval: "1s" }],
        relabel_configs: [{ action: "labeldrop", regex: "engine|worker" }],
      },
    ],
  };
}

/** The rules as they are shipped, but impatient: seconds for the minutes that must pass before an alert. */
async function quickRules(name: string): Promise<string> {
  const path = repositoryFile(`deploy/prometheus/rules/${name}.yml`);
  const text = await readFile(path, "utf8");
  return text
    .replaceAll(/( for| keep_firing_for): \w+/g, "$1: 1s")
    .replaceAll("[15m]", "[1m]")
    .replaceAll(/\b600\b/g, "6")
    .replaceAll("3 * sweep:", "0.3 * sweep:");
}

async function names(prometheus: TestPrometheus): Promise<string[]> {
  return (await prometheus.alerts()).map(({ labels }) => labels.alertname!);
}

async function activeAlert(prometheus: TestPrometheus, name: string): Promise<void> {
  const isActive = async () => (await names(prometheus)).includes(name);
  await until(`${name} is pending or fires`, isActive, PATIENCE_MS);
}

/** Every alert's and recording rule's expression is evaluated without a fault. */
async function assertRules(prometheus: TestPrometheus): Promise<void> {
  await until("all rules have been evaluated", async () => {
    return (await prometheus.rules()).every(({ health }) => health !== "unknown");
  });
  for (const { name, health, lastError } of await prometheus.rules()) {
    assert.equal(health, "ok", `${name}: ${lastError}`);
  }
}

/** Every panel's query has an answer, and every label that its legend names is there. */
async function assertPanels(prometheus: TestPrometheus): Promise<void> {
  const queries = panelQueries({ sweep: "live" });
  assert.ok(queries.length > 20);
  const empty = new Set(queries);
  const look = async () => {
    for (const query of empty) {
      const series = await prometheus.queryRange(query.expr, 60);
      if (series.length === 0) continue;
      empty.delete(query);
      for (const [, label] of (query.legendFormat ?? "").matchAll(/\{\{\s*(\w+)\s*\}\}/g)) {
        const isThere = series.every(({ metric }) => metric[label!] !== undefined);
        assert.ok(isThere, `${query.dashboard} · ${query.panel}: no label ${label} in an answer`);
      }
    }
    return empty.size === 0;
  };
  await until("every panel has data", look, PATIENCE_MS).catch((error) => {
    const lines = [...empty].map(
      ({ dashboard, panel, expr }) => `${dashboard} · ${panel}: ${expr}`,
    );
    throw new Error(`${error.message}\nno data:\n${lines.join("\n")}`);
  });
}
