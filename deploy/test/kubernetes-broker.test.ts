import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { makeKeys } from "../../shared/testing/nats-keys.ts";
import type { TestServer } from "../../shared/testing/nats-server.ts";
import { natsServerBinary, startNatsServer } from "../../shared/testing/nats-server.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import type { Role } from "../../shared/transport/nats/names.ts";
import { INBOXES } from "../../shared/transport/nats/names.ts";
import { isSetUp, setup } from "../../shared/transport/nats/setup.ts";
import { toolPath } from "../testing/tool.ts";
import type { ChartValues } from "./kubernetes-chart.ts";
import { chartConfig } from "./kubernetes-chart.ts";
import { podOf, quantity, render } from "./kubernetes-manifest.ts";

const read = (path: string) => readFileSync(new URL(path, repositoryFile("deploy/test/")), "utf8");
const values = parse(read("../kubernetes/nats-values.yaml"), { merge: true }) as ChartValues;

describe("kubernetes broker", () => {
  let scratch: string;
  let server: TestServer;
  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), "ftle-chart-"));
    await makeKeys("--out", join(scratch, "keys"), "nats", "nats-0.nats-headless");
    mountAsPods();
    server = await startNatsServer({
      jetstream: false,
      config: inScratch(chartConfig(values, { cluster: false })),
    });
  });
  after(async () => {
    await server?.stop();
    rmSync(scratch, { recursive: true });
  });

  /** Puts files where the values mount them. */
  function mountAsPods(): void {
    for (const role of ["nats", "cluster"]) {
      const folder = join(scratch, "etc/nats-certs", role);
      mkdirSync(folder, { recursive: true });
      for (const file of ["server.pem", "server-key.pem", "ca.pem"]) {
        copyFileSync(join(scratch, "keys", file), join(folder, file));
      }
    }
    const [{ mountPath }] = values.container.patch.map(({ value }) => value) as [
      { mountPath: string },
    ];
    const [{ configMap }] = values.podTemplate.patch.map(({ value }) => value) as [
      ChartValues["podTemplate"]["patch"][number]["value"],
    ];
    const sources: Record<string, string> = {
      "roles.conf": read("../nats/roles.conf"),
      "users.conf": readFileSync(join(scratch, "keys/users.conf"), "utf8"),
    };
    for (const { key, path } of configMap.items) {
      const file = join(scratch, mountPath, path);
      mkdirSync(join(file, ".."), { recursive: true });
      writeFileSync(file, sources[key]!);
    }
    mkdirSync(join(scratch, "etc/nats-config"));
  }

  /** With every path of a pod below the scratch folder. */
  function inScratch(config: string): string {
    return config
      .replaceAll("/etc/nats-certs", join(scratch, "etc/nats-certs"))
      .replaceAll("../nats-roles", join("..", basename(scratch), "etc/nats-roles"))
      .replaceAll('"/data"', JSON.stringify(join(scratch, "data")))
      .replaceAll("$POD_NAME", "nats-0");
  }

  const connect = (role: Role, credentials: string) =>
    connectBroker({
      url: server.url,
      credentials,
      tlsCa: join(scratch, "keys/ca.pem"),
      inboxPrefix: INBOXES[role],
    });

  test("kubernetes broker: a server accepts what the chart makes of the values, and rejects mistakes in them", async () => {
    const binary = await natsServerBinary();
    const file = join(scratch, "etc/nats-config/nats.conf");
    const statusOf = (config: string) => {
      writeFileSync(file, config);
      return spawnSync(binary, ["-t", "-c", file], { encoding: "utf8" });
    };
    const right = inScratch(chartConfig(values, { cluster: true })).replaceAll(
      join("..", basename(scratch), "etc/nats-roles"),
      "../nats-roles", // as in a pod: nats.conf is where it is there
    );
    const { status, stderr } = statusOf(right);
    assert.equal(status, 0, stderr);
    assert.match(right, /"verify": true/);
    for (const [good, bad] of [
      ["sync_interval", "sync_intervall"],
      ["8MB", "8 MB"],
      ["roles.conf", "role.conf"],
      ["server-key.pem", "tls.key"],
    ] as const) {
      assert.ok(right.includes(good), good);
      assert.notEqual(statusOf(right.replace(good, bad)).status, 0, bad);
    }
  });

  test("kubernetes broker: the chart's servers keep, check and take what deploy/nats says", () => {
    const shipped = read("../nats/ftle.conf") + read("../nats/cluster.conf");
    const made = chartConfig(values, { cluster: true });
    const settings = ["max_payload", "sync_interval", "max_file_store", "max_memory_store"];
    for (const name of settings) {
      const find = (text: string) => new RegExp(`\\b${name}"?: "?(\\w+)`).exec(text)?.[1];
      assert.ok(find(shipped) !== undefined, name);
      assert.equal(find(made), find(shipped), name);
    }
    const verified = /\bverify"?: true/g;
    assert.equal(made.match(verified)?.length, shipped.match(verified)?.length);
    const { fileStore, memoryStore } = values.config.jetstream;
    const bytes = (text: string) => quantity(text.replace(/B$/, ""));
    assert.ok(bytes(fileStore.maxSize) < quantity(fileStore.pvc.size));
    const { memory } = values.container.merge.resources.limits;
    assert.ok(bytes(memoryStore.maxSize) < quantity(memory) / 2);
  });

  test("kubernetes broker: at the chart's server each role may do its own work, and no more", async () => {
    const key = (role: string) => join(scratch, "keys", `${role}.nk`);
    const coordinator = await connect("coordinator", key("coordinator"));
    const worker = await connect("worker", key("worker"));
    const observer = await connect("observer", key("observer"));
    try {
      await setup(coordinator);
      assert.equal(await isSetUp(observer), true);
      await assert.rejects(worker.jsm.streams.delete("FTLE_TASKS"));
      await assert.rejects(observer.jsm.streams.purge("FTLE_TASKS"));
      assert.equal((await coordinator.jsm.streams.info("FTLE_TASKS")).config.name, "FTLE_TASKS");
    } finally {
      for (const broker of [coordinator, worker, observer]) await broker.close();
    }
  });

  test("kubernetes broker: a key as a Secret mounts it is refused, and as the pod copies it accepted", async () => {
    const [deployment] = render("overlays/production").filter(({ kind }) => kind === "Deployment");
    const { volumes = [], initContainers = [], securityContext } = podOf(deployment!)!.spec;
    // An fsGroup has the kubelet add reading for the group: root:1000, 0440. Here it is ours, and as readable.
    assert.equal(securityContext?.fsGroup, securityContext?.runAsUser);
    const secret = join(scratch, "secret");
    mkdirSync(join(secret, "..data"), { recursive: true });
    for (const file of ["worker.nk", "ca.pem"]) {
      copyFileSync(join(scratch, "keys", file), join(secret, "..data", file));
      chmodSync(
        join(secret, "..data", file),
        volumes.find((volume) => volume.secret)!.secret!.defaultMode!,
      );
      symlinkSync(join("..data", file), join(secret, file));
    }
    await assert.rejects(
      connect("worker", join(secret, "worker.nk")),
      /readable by its owner alone/,
    );

    mkdirSync(join(scratch, "key"));
    const [program, ...args] = initContainers[0]!.command!.map((word) =>
      word.replace(/(^|=)\/(secret|key)\b/, `$1${scratch}/$2`),
    );
    execFileSync(program!, args);
    execFileSync(program!, args); // a pod whose sandbox is lost runs it again
    const broker = await connect("worker", join(scratch, "key/worker.nk"));
    await broker.close();
  });

  test("kubernetes broker: the demo's server accepts its configuration, and messages as large", async () => {
    const text = read("../kubernetes/overlays/demo/nats.conf");
    const file = join(scratch, "demo.conf");
    const statusOf = async (config: string) => {
      writeFileSync(file, config);
      return spawnSync(await natsServerBinary(), ["-t", "-c", file]).status;
    };
    assert.equal(await statusOf(text), 0);
    assert.notEqual(await statusOf(text.replace("sync_interval", "sync_intervall")), 0);
    const payload = /max_payload: (\w+)/;
    assert.equal(payload.exec(text)?.[1], payload.exec(read("../nats/ftle.conf"))?.[1]);
  });

  test("kubernetes broker: the autoscaler's query counts what workers have, and what waits in running sweeps, once", () => {
    const [scaler] = render("overlays/production").filter(({ kind }) => kind === "ScaledObject");
    const { query } = scaler!.spec!.triggers![0]!.metadata;
    const labels = (pod: string, sweep: string) =>
      `{job="ftle-coordinator", instance="${pod}", namespace="ftle", sweep="${sweep}"`;
    const ofSweep = (
      pod: string,
      sweep: string,
      [waits, runs, running]: [number, number, number],
    ) => [
      { series: `ftle_queue_pending_tasks${labels(pod, sweep)}}`, values: `${waits}x5` },
      { series: `ftle_queue_in_flight_tasks${labels(pod, sweep)}}`, values: `${runs}x5` },
      { series: `ftle_sweep_state${labels(pod, sweep)}, state="running"}`, values: `${running}x5` },
      {
        series: `ftle_sweep_state${labels(pod, sweep)}, state="paused"}`,
        values: `${1 - running}x5`,
      },
    ];
    const file = join(scratch, "query.json");
    const input_series = [
      ...ofSweep("a", "fig2", [100, 8, 1]),
      ...ofSweep("b", "fig2", [100, 8, 1]), // a second coordinator, or the first one's last scrape
      ...ofSweep("c", "paused", [1000, 3, 0]),
    ];
    const statusOf = (value: number) => {
      const exp_samples = [{ labels: "{}", value }];
      const promql_expr_test = [{ expr: query, eval_time: "1m", exp_samples }];
      writeFileSync(
        file,
        JSON.stringify({ tests: [{ interval: "1m", input_series, promql_expr_test }] }),
      );
      return spawnSync(toolPath("promtool"), ["test", "rules", file], { encoding: "utf8" });
    };
    const { status, stdout, stderr } = statusOf(111);
    assert.equal(status, 0, stdout + stderr);
    assert.notEqual(statusOf(112).status, 0);
  });
});
