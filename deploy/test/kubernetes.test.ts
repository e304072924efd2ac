import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { createRegistry } from "../../shared/metrics/registry.ts";
import { startMetricsServer } from "../../shared/metrics/server.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { prometheusRule, RULES_FILE } from "../kubernetes/write-rules.ts";
import { FORM_MISTAKES } from "./kubernetes-form-mistakes.ts";
import type { Manifest } from "./kubernetes-manifest.ts";
import { manifestsOf, render } from "./kubernetes-manifest.ts";
import { NAME_MISTAKES } from "./kubernetes-name-mistakes.ts";
import { podFaults } from "./kubernetes-pod-faults.ts";
import { programFaults } from "./kubernetes-program-faults.ts";
import { referenceFaults } from "./kubernetes-reference-faults.ts";
import {
  coreValidator,
  hasSwagger,
  isOperators,
  operatorFaults,
  unknownFields,
} from "./kubernetes-schema.ts";

const folder = repositoryFile("deploy/kubernetes/");
const read = (path: string) => readFileSync(new URL(path, folder), "utf8");
const MISTAKES = [...FORM_MISTAKES, ...NAME_MISTAKES];
const withoutSwagger = hasSwagger ? false : "needs ../shared/schemas, which is not here";

const overlays = readdirSync(new URL("overlays", folder));
const rendered = new Map(overlays.map((name) => [name, render(`overlays/${name}`)]));
const { demo, production, spot, sweep } = Object.fromEntries(rendered) as Record<
  string,
  Manifest[]
>;

/** What is applied together: a sweep comes on top of production. */
const sets: Readonly<Record<string, readonly Manifest[]>> = {
  demo: [...demo!, ...inNamespace("ftle-demo", read("results-pod.yaml"))],
  production: [...production!, ...sweep!],
  spot: [...spot!, ...sweep!],
  "one sweep": [
    ...production!.filter(({ kind }) => kind !== "ScaledObject"),
    ...inNamespace("ftle", read("components/keda-nats/scaled-object.yaml")),
    ...sweep!,
  ],
};

test("kubernetes: every overlay renders, and is what its guide says", () => {
  const kinds = (name: string) => new Set(sets[name]!.map(({ kind }) => kind));
  for (const name of Object.keys(sets)) {
    for (const kind of ["Deployment", "Job", "PersistentVolumeClaim", "ConfigMap"]) {
      assert.ok(kinds(name).has(kind), `${name}: ${kind}`);
    }
  }
  for (const kind of ["ScaledObject", "PodMonitor", "PrometheusRule", "NetworkPolicy"]) {
    assert.ok(kinds("production").has(kind), kind);
    assert.ok(!kinds("demo").has(kind), kind);
  }
  assert.ok(!kinds("spot").has("PodDisruptionBudget"));
  assert.deepEqual(overlays.sort(), ["demo", "production", "spot", "sweep"]);
});

test("kubernetes: kubectl renders every overlay to the same", (context) => {
  const kubectl = spawnSync("kubectl", ["version", "--client"]);
  // Its kustomize is the one that the other tests run; this is about its version.
  if (kubectl.status !== 0) return context.skip("no kubectl on PATH");
  for (const [overlay, manifests] of rendered) {
    const path = fileURLToPath(new URL(`overlays/${overlay}`, folder));
    const text = execFileSync("kubectl", ["kustomize", path], { encoding: "utf8" });
    assert.deepEqual(manifestsOf(text), manifests);
  }
});

test("kubernetes: every manifest is of its kind, field by field", { skip: withoutSwagger }, () => {
  const faultsOf = coreValidator();
  for (const [name, set] of Object.entries(sets)) {
    assert.deepEqual(set.filter((manifest) => !isOperators(manifest)).flatMap(faultsOf), [], name);
  }
});

test("kubernetes: what is KEDA's and Prometheus' is of its kind, field by field", () => {
  const all = Object.values(sets).flat().filter(isOperators);
  assert.ok(all.length > 10);
  assert.deepEqual(all.flatMap(operatorFaults), []);
  assert.deepEqual(unknownFields(all).flat(), []);
});

test("kubernetes: no pod has rights, memory or files beyond its need", () => {
  for (const [name, set] of Object.entries(sets)) assert.deepEqual(podFaults(set), [], name);
});

test("kubernetes: the program understands what it is given, and has the time and memory it asks for", () => {
  for (const [name, set] of Object.entries(sets)) assert.deepEqual(programFaults(set), [], name);
});

test("kubernetes: what manifests say of each other, and of streams and ports, is true", () => {
  for (const [name, set] of Object.entries(sets)) assert.deepEqual(referenceFaults(set), [], name);
});

test("kubernetes: each of the usual mistakes is found", (context) => {
  if (withoutSwagger) context.diagnostic(`mistakes against the schema left out: ${withoutSwagger}`);
  const faultsOf = hasSwagger ? coreValidator() : null;
  const changed = MISTAKES.map(({ set, change }) => {
    const copy = structuredClone(sets[set]) as Manifest[];
    const victim = change(copy);
    return { all: copy, victim };
  });
  const operators = changed.map(({ victim }) => victim).filter(isOperators);
  const types = new Map(unknownFields(operators).map((found, i) => [operators[i]!, found]));
  const find = {
    schema: (_: readonly Manifest[], victim: Manifest) => faultsOf?.(victim) ?? null,
    model: (_: readonly Manifest[], victim: Manifest) => operatorFaults(victim),
    type: (_: readonly Manifest[], victim: Manifest) => types.get(victim)!,
    pod: podFaults,
    program: programFaults,
    reference: referenceFaults,
  };
  for (const [i, { what, by, fault }] of MISTAKES.entries()) {
    const { all, victim } = changed[i]!;
    const found = find[by](all, victim);
    if (found === null) continue; // without the schemas
    assert.ok(
      found.some((text) => text.includes(fault)),
      `${what}: expected "${fault}" by ${by}, found ${JSON.stringify(found)}`,
    );
  }
  assert.ok(MISTAKES.length >= 20);
});

test("kubernetes: what the probes ask for is what the program answers", async () => {
  let why: string | null = "the broker is away";
  const server = await startMetricsServer({
    address: { host: "127.0.0.1", port: 0 },
    registry: createRegistry(),
    notReady: () => why,
  });
  try {
    const status = async (path: string) => (await fetch(`http://${server.place}${path}`)).status;
    assert.deepEqual([await status("/healthz"), await status("/readyz")], [200, 503]);
    why = null;
    assert.deepEqual([await status("/healthz"), await status("/readyz")], [200, 200]);
  } finally {
    await server.stop();
  }
});

test("kubernetes: rules and dashboards match those of the other folders", () => {
  const rules = readFileSync(RULES_FILE, "utf8");
  // Not assert.equal, which would print both.
  assert.ok(rules === prometheusRule(), "run node --import tsx deploy/kubernetes/write-rules.ts");
  const groups = (parse(rules).spec.groups as { name: string }[]).map(({ name }) => name);
  assert.equal(new Set(groups).size, groups.length);
  const dashboards = repositoryFile("deploy/grafana/dashboards/");
  const shipped = sets.production!.filter((m) => m.metadata.labels?.grafana_dashboard === "1");
  assert.deepEqual(
    shipped.map(({ data }) => Object.entries(data!)[0]),
    readdirSync(dashboards)
      .sort()
      .map((file) => [basename(file), readFileSync(new URL(file, dashboards), "utf8")]),
  );
});

test("kubernetes: the specs in the manifests are the examples", () => {
  for (const [copy, example] of [
    ["base/sweep/sweep.yaml", "quickstart"],
    ["overlays/sweep/sweep.yaml", "fig2"],
  ] as const) {
    assert.equal(read(copy), read(`../../examples/${example}.yaml`));
  }
});

/** Manifests that are no part of an overlay, as they are applied. */
function inNamespace(namespace: string, yaml: string): Manifest[] {
  return manifestsOf(yaml).map((manifest) => ({
    ...manifest,
    metadata: { ...manifest.metadata, namespace },
  }));
}
