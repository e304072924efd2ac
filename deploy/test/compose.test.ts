import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { runCommand } from "../../cli/commands/run.ts";
import { FAREWELL_MS, workerCommand } from "../../cli/commands/worker.ts";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";
import { natsServerBinary } from "../../shared/testing/nats-server.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import type { ComposeConfig, ComposeService } from "../testing/compose-faults.ts";
import { containmentFaults, programFaults } from "../testing/compose-faults.ts";
import { toolPath } from "../testing/tool.ts";

const folder = fileURLToPath(repositoryFile("deploy/compose"));
const text = readFileSync(join(folder, "compose.yaml"), "utf8");
const commands = { coordinator: runCommand(), worker: workerCommand() };
const farewellSeconds = FAREWELL_MS / 1000;

describe("compose", () => {
  let program: string;
  let scratch: string;
  let config: ComposeConfig;
  before(() => {
    program = toolPath("docker-compose");
    scratch = mkdtempSync(join(tmpdir(), "ftle-compose-"));
    config = JSON.parse(ask(text, ["--profile", "observability"], ["--format", "json"]).stdout);
  });
  after(() => rmSync(scratch, { recursive: true }));

  /** `docker-compose config` of a file with this text, in the place of the true one; no variables but PATH. */
  function ask(content: string, options: string[] = [], more: string[] = []) {
    const file = join(scratch, "compose.yaml");
    writeFileSync(file, content);
    const args = [
      "-f",
      file,
      "--project-directory",
      folder,
      "--env-file",
      "/dev/null",
      ...options,
      "config",
      ...more,
    ];
    return spawnSync(program, args, {
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: scratch },
    });
  }

  test("compose: the file is valid, and starts what it says with and without its profile", () => {
    const services = (options: string[]) => {
      const { status, stdout, stderr } = ask(text, options, ["--services"]);
      assert.deepEqual([status, stderr], [0, ""]);
      return stdout.trim().split("\n").sort();
    };
    assert.deepEqual(services([]), ["coordinator", "nats", "worker"]);
    assert.deepEqual(services(["--profile", "observability"]), [
      "coordinator",
      "grafana",
      "nats",
      "prometheus",
      "worker",
    ]);
  });

  test("compose: docker-compose refuses a file with a usual mistake", () => {
    const mistakes: readonly [string, string][] = [
      ["condition: service_healthy", "condition: service_helthy"],
      ["nats: {condition", "natz: {condition"],
      ["restart: on-failure:10", "restrat: on-failure:10"],
      ["stop_grace_period: 20s", "stop_grace_period: 20 seconds"],
      ["      - sweeps:/sweeps", "      - sweep:/sweeps"],
      ["replicas: $", "replica: $"],
      ['}:9090"]', '}:909090"]'],
    ];
    for (const [right, wrong] of mistakes) {
      assert.ok(text.includes(right), right);
      const { status } = ask(text.replace(right, wrong), ["--profile", "observability"]);
      assert.notEqual(status, 0, wrong);
    }
  });

  test("compose: no container has rights, ports or memory beyond its need", () => {
    assert.deepEqual(containmentFaults(config), []);
  });

  test("compose: the program understands what it is given, and has the time and memory it asks for", () => {
    assert.deepEqual(programFaults(config, commands, farewellSeconds), []);
  });

  test("compose: each weakening is found", () => {
    const slackenings: readonly [string, Partial<ComposeService>, string][] = [
      ["nats", { image: "nats:alpine" }, "image not pinned"],
      ["nats", { image: "nats" }, "image not pinned"],
      ["worker", { read_only: false }, "root can be written to"],
      ["worker", { privileged: true }, "has rights"],
      ["worker", { cap_add: ["SYS_ADMIN"] }, "has rights"],
      ["worker", { cap_drop: ["NET_RAW"] }, "keeps capabilities"],
      ["grafana", { security_opt: [] }, "can gain rights"],
      ["nats", { network_mode: "host" }, "shares the host's network or processes"],
      ["grafana", { ports: [{ published: "3000" }] }, "a port that others can reach"],
      [
        "grafana",
        { ports: [{ published: "3000", host_ip: "0.0.0.0" }] },
        "a port that others can reach",
      ],
      ["worker", { deploy: {} }, "no limit of memory"],
      [
        "coordinator",
        { volumes: [{ type: "bind", source: folder, target: "/x" }] },
        "a file of the host's that can be written to",
      ],
      [
        "coordinator",
        { volumes: [{ type: "bind", source: "/not/there", target: "/x", read_only: true }] },
        "mounts what is not there",
      ],
      ["worker", { stop_grace_period: "13s" }, "is killed before it has given its tasks back"],
      [
        "worker",
        { command: ["worker", "--grace", "20s"] },
        "is killed before it has given its tasks back",
      ],
      ["worker", { command: ["worker", "--gracious"] }, "the program does not know --gracious"],
      ["worker", { command: ["work"] }, "runs another command"],
      [
        "worker",
        { environment: { ...config.services.worker!.environment, FTLE_NAT: "" } },
        "the program does not know FTLE_NAT",
      ],
      [
        "worker",
        { environment: { ...config.services.worker!.environment, FTLE_METRICS: "0.0.0.0:9464" } },
        "metrics at another port",
      ],
      [
        "worker",
        {
          environment: {
            ...config.services.worker!.environment,
            NODE_OPTIONS: "--max-old-space-size=700",
          },
        },
        "node's heaps may outgrow the memory",
      ],
      [
        "worker",
        { environment: { FTLE_METRICS: "0.0.0.0:9465" } },
        "another broker than the service nats",
      ],
      ["coordinator", { healthcheck: { test: ["CMD", "true"] } }, "asks for health elsewhere"],
    ];
    for (const [name, change, fault] of slackenings) {
      const services = { ...config.services, [name]: { ...config.services[name]!, ...change } };
      const found = [
        ...containmentFaults({ services }),
        ...programFaults({ services }, commands, farewellSeconds),
      ];
      assert.ok(
        found.includes(`${name}: ${fault}`),
        `${name} ${JSON.stringify(change)}: ${found.join("; ")}`,
      );
    }
  });

  test("compose: the guide lists each variable that the file takes, and no other", () => {
    const guide = readFileSync(join(folder, "README.md"), "utf8");
    const taken = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name!);
    assert.ok(taken.length > 5);
    for (const name of taken) assert.match(guide, new RegExp(`\`${name}\``), name);
  });

  test("compose: Prometheus looks for the services that are there, at their ports, under the agreed names", () => {
    const { scrape_configs, rule_files } = parse(
      readFileSync(join(folder, "prometheus.yml"), "utf8"),
    );
    const jobs = scrape_configs.map(
      ({ job_name, dns_sd_configs: [{ names, port }] }: ScrapeConfig) => [job_name, names, port],
    );
    assert.deepEqual(jobs, [
      ["ftle-coordinator", ["coordinator"], METRICS_PORTS.coordinator],
      ["ftle-worker", ["worker"], METRICS_PORTS.worker],
    ]);
    assert.ok(["coordinator", "worker"].every((name) => name in config.services));
    const targets = config.services.prometheus!.volumes!.map(({ target }) => target);
    assert.ok(targets.includes(rule_files[0].replace(/\/[^/]*$/, "")));
    const rules = fileURLToPath(repositoryFile("deploy/prometheus/rules/"));
    const here = readFileSync(join(folder, "prometheus.yml"), "utf8").replace(
      "/etc/prometheus/rules/",
      rules,
    );
    const file = join(scratch, "prometheus.yml");
    writeFileSync(file, here);
    execFileSync(toolPath("promtool"), ["check", "config", file]);
  });

  test("compose: the broker accepts its configuration, and rejects one with a mistake", async () => {
    const server = await natsServerBinary();
    const file = join(scratch, "nats.conf");
    const statusOf = (content: string) => {
      writeFileSync(file, content);
      return spawnSync(server, ["-t", "-c", file]).status;
    };
    const right = readFileSync(join(folder, "nats.conf"), "utf8");
    assert.equal(statusOf(right), 0);
    assert.notEqual(statusOf(right.replace("sync_interval", "sync_intervall")), 0);
  });

  test("compose: Grafana finds Prometheus, and dashboards where they are mounted", () => {
    const provisioned = (path: string) =>
      parse(readFileSync(repositoryFile(`deploy/grafana/provisioning/${path}`), "utf8"));
    const [source] = provisioned("datasources/prometheus.yaml").datasources;
    assert.deepEqual([source.uid, source.url], ["ftle-prometheus", "http://prometheus:9090"]);
    const { global } = parse(readFileSync(join(folder, "prometheus.yml"), "utf8"));
    assert.equal(source.jsonData.timeInterval, global.scrape_interval);
    const [provider] = provisioned("dashboards/ftle.yaml").providers;
    assert.equal(provider.allowUiUpdates, false);
    const targets = config.services.grafana!.volumes!.map(({ target }) => target);
    assert.ok(targets.includes(provider.options.path));
    assert.ok(targets.includes("/etc/grafana/provisioning"));
  });
});

interface ScrapeConfig {
  readonly job_name: string;
  readonly dns_sd_configs: readonly [{ readonly names: readonly string[]; readonly port: number }];
}
