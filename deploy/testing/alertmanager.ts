/** A real Alertmanager for tests: private, on loopback, with a store of its own. */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { spawnGuarded } from "../../shared/process/guarded-process.ts";
import { toolPath } from "./tool.ts";

export interface TestAlertmanager {
  /** Reports to it that these alerts fire, in this order. */
  post(alerts: readonly Labels[]): Promise<void>;
  /** The labels of the alerts that it holds back because of another. */
  heldBack(): Promise<Labels[]>;
  stop(): Promise<void>;
}

export type Labels = Readonly<Record<string, string>>;

const START_MS = 60_000;

/** @throws Error with its log if it does not start. */
export async function startAlertmanager(config: string): Promise<TestAlertmanager> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-alertmanager-"));
  const args = [
    `--config.file=${config}`,
    `--storage.path=${join(folder, "data")}`,
    "--web.listen-address=127.0.0.1:0",
    "--cluster.listen-address=", // none
  ];
  const log = join(folder, "log");
  const guarded = await spawnGuarded(toolPath("alertmanager"), args, { folder, log });
  const url = await listening();

  async function listening(): Promise<string> {
    for (const end = performance.now() + START_MS; performance.now() < end; await pause(20)) {
      const said = await readFile(log, "utf8").catch(() => "");
      const place = /Listening on" .*address=(127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (place !== undefined) return `http://${place}/api/v2/alerts`;
      if (guarded.isGone()) break;
    }
    const said = await readFile(log, "utf8");
    await guarded.remove();
    throw new Error(`alertmanager did not start:\n${said}`);
  }

  return {
    async post(alerts) {
      const body = JSON.stringify(alerts.map((labels) => ({ labels })));
      const headers = { "content-type": "application/json" };
      const { ok, status } = await fetch(url, { method: "POST", headers, body });
      if (!ok) throw new Error(`alertmanager answered ${status}`);
    },
    async heldBack() {
      const answer = await fetch(`${url}?inhibited=true`);
      const alerts = (await answer.json()) as {
        labels: Labels;
        status: { inhibitedBy: unknown[] };
      }[];
      return alerts
        .filter(({ status }) => status.inhibitedBy.length > 0)
        .map(({ labels }) => labels);
    },
    stop: () => guarded.remove(),
  };
}
