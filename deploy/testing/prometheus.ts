/** A real Prometheus for tests: private, on loopback, with a store of its own. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { spawnGuarded } from "../../shared/process/guarded-process.ts";
import { toolPath } from "./tool.ts";

export interface TestPrometheus {
  readonly url: string;
  /** The samples of an instant query. @throws Error with what Prometheus says of the query. */
  query(expr: string): Promise<Sample[]>;
  /** The series of the last `seconds`, a point a second. */
  queryRange(expr: string, seconds: number): Promise<Series[]>;
  /** Of each alert the instances that are pending or firing. */
  alerts(): Promise<ActiveAlert[]>;
  rules(): Promise<Rule[]>;
  stop(): Promise<void>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

export interface Rule {
  readonly name: string;
  readonly type: "alerting" | "recording";
  readonly query: string;
  readonly health: "ok" | "err" | "unknown";
  readonly lastError?: string;
}

const START_MS = 60_000;

/**
 * @param config as in `prometheus.yml`.
 * @param rules files of rules, as text.
 * @throws Error with its log if it does not start.
 */
export async function startPrometheus(
  config: object,
  rules: readonly string[],
): Promise<TestPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-prometheus-"));
  await Promise.all(rules.map((text, i) => writeFile(join(folder, `rules-${i}.yml`), text)));
  const path = join(folder, "prometheus.yml");
  await writeFile(path, stringify({ ...config, rule_files: [join(folder, "rules-*.yml")] }));
  const args = [
    `--config.file=${path}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--web.listen-address=127.0.0.1:0",
  ];
  const log = join(folder, "log");
  const guarded = await spawnGuarded(toolPath("prometheus"), args, { folder, log });
  const url = await listening();

  async function listening(): Promise<string> {
    for (const end = performance.now() + START_MS; performance.now() < end; await pause(20)) {
      const said = await readFile(log, "utf8").catch(() => "");
      const port = /Listening on" .*address=127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined && said.includes("Server is ready")) return `http://127.0.0.1:${port}`;
      if (guarded.isGone()) break;
    }
    const said = await readFile(log, "utf8");
    await guarded.remove();
    throw new Error(`prometheus did not start:\n${said}`);
  }

  async function ask(path: string, parameters: Record<string, string> = {}) {
    const body = new URLSearchParams(parameters);
    const options = Object.keys(parameters).length > 0 ? { method: "POST", body } : {};
    const response = await fetch(`${url}/api/v1/${path}`, options);
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== "success") throw new Error(`${answer.error}: ${parameters.query}`);
    return answer.data;
  }

  return {
    url,
    async query(query) {
      return ((await ask("query", { query })) as { result: Sample[] }).result;
    },
    async queryRange(query, seconds) {
      const end = Date.now() / 1000;
      const range = { start: String(end - seconds), end: String(end), step: "1" };
      return ((await ask("query_range", { query, ...range })) as { result: Series[] }).result;
    },
    async alerts() {
      return ((await ask("alerts")) as { alerts: ActiveAlert[] }).alerts;
    },
    async rules() {
      const { groups } = (await ask("rules")) as { groups: { rules: Rule[] }[] };
      return groups.flatMap((group) => group.rules);
    },
    stop: () => guarded.remove(),
  };
}
