/** What manifests say of each other: selectors, names, ports; and what they agree on with the code's names. */

import { readFileSync } from "node:fs";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { queueName, STREAMS } from "../../shared/transport/nats/names.ts";
import type { Container, Labels, Manifest } from "./kubernetes-manifest.ts";
import { matches, nameOf, podOf, quantity } from "./kubernetes-manifest.ts";

type Rule = readonly [holds: boolean, fault: string];
type Check = (manifest: Manifest, all: readonly Manifest[]) => Rule[];

/** Secrets hold keys: they are made by hand, and are in no manifest. */
const SECRETS = ["ftle-worker-key", "ftle-coordinator-key"];

const CHECKS: Readonly<Record<string, Check>> = {
  Deployment: workload,
  StatefulSet: workload,
  Job: job,
  Pod: references,
  Service: service,
  PodDisruptionBudget: budget,
  PodMonitor: podMonitor,
  NetworkPolicy: policy,
  ScaledObject: scaledObject,
};

/** @param all what is applied together. */
export function referenceFaults(all: readonly Manifest[]): string[] {
  const names = all.map((m) => `${nameOf(m)}`);
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  const namespaces = new Set(
    all.filter(({ kind }) => kind !== "Namespace").map(({ metadata }) => metadata.namespace),
  );
  const rules = all.flatMap((manifest) =>
    (CHECKS[manifest.kind]?.(manifest, all) ?? [])
      .filter(([holds]) => !holds)
      .map(([, fault]) => `${nameOf(manifest)}: ${fault}`),
  );
  if (twice.length > 0) rules.push(`twice: ${twice.join(", ")}`);
  if (namespaces.size > 1) rules.push(`in several namespaces: ${[...namespaces].join(", ")}`);
  return rules;
}

function has(all: readonly Manifest[], kind: string, name: string | undefined): boolean {
  return all.some((other) => other.kind === kind && other.metadata.name === name);
}

function podsOf(all: readonly Manifest[], selector: Labels | undefined) {
  return all
    .map(podOf)
    .filter((pod) => pod !== null && matches(selector, pod.labels)) as NonNullable<
    ReturnType<typeof podOf>
  >[];
}

function hasPort(containers: readonly Container[], port: number | string | undefined): boolean {
  return containers.some((c) => c.ports?.some((p) => p.name === port || p.containerPort === port));
}

/** What a pod names is there. */
function references(manifest: Manifest, all: readonly Manifest[]): Rule[] {
  const { spec } = podOf(manifest)!;
  const { volumes = [] } = spec;
  const volumeRules = volumes.map((volume): Rule => {
    const { name, configMap, secret, persistentVolumeClaim } = volume;
    const isThere =
      (configMap === undefined || has(all, "ConfigMap", configMap.name)) &&
      (secret === undefined || SECRETS.includes(secret.secretName)) &&
      (persistentVolumeClaim === undefined ||
        has(all, "PersistentVolumeClaim", persistentVolumeClaim.claimName));
    return [isThere, `volume ${name} is of something that is not there`];
  });
  const keys = spec.containers.flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef ?? []),
  );
  const keyRules = keys.map(({ name, key }): Rule => {
    const map = all.find((m) => m.kind === "ConfigMap" && m.metadata.name === name);
    return [map?.data?.[key] !== undefined, `no key ${key} in ConfigMap ${name}`];
  });
  const probes = spec.containers.flatMap((c) =>
    [c.startupProbe, c.livenessProbe, c.readinessProbe].map((probe): Rule => {
      const port = probe?.httpGet?.port;
      return [port === undefined || hasPort([c], port), "a probe of a port that is not there"];
    }),
  );
  const { serviceAccountName: account } = spec;
  return [
    ...volumeRules,
    ...keyRules,
    ...probes,
    [account === undefined || has(all, "ServiceAccount", account), "no such service account"],
  ];
}

function workload(manifest: Manifest, all: readonly Manifest[]): Rule[] {
  const { spec, kind } = manifest;
  const pod = podOf(manifest)!;
  const { rollingUpdate } = spec!.strategy ?? {};
  const spread = pod.spec.topologySpreadConstraints ?? [];
  const rules: Rule[] = [
    [matches(spec!.selector?.matchLabels, pod.labels), "does not select its own pods"],
    ...references(manifest, all),
  ];
  if (kind === "StatefulSet") return rules;
  return [
    ...rules,
    [
      rollingUpdate?.maxUnavailable === 0 && rollingUpdate.maxSurge === "25%",
      "has fewer workers while it changes",
    ],
    [
      spread.length === 2 &&
        spread.every(
          (one) =>
            one.whenUnsatisfiable === "ScheduleAnyway" &&
            matches(one.labelSelector.matchLabels, pod.labels),
        ),
      "does not spread, or will not start where it cannot",
    ],
  ];
}

/** Exit codes: 0 complete, 1 fault, 2 spec, 3 with tasks given up, 4 cancelled, 130 interrupted. */
function job(manifest: Manifest, all: readonly Manifest[]): Rule[] {
  const spec = manifest.spec!;
  const pod = podOf(manifest)!.spec;
  const rules = spec.podFailurePolicy?.rules ?? [];
  const ends = rules
    .filter(({ action }) => action === "FailJob")
    .flatMap((r) => r.onExitCodes ?? []);
  const ignored = rules.filter(({ action }) => action === "Ignore");
  const always: Rule[] = [
    ...references(manifest, all),
    [(spec.backoffLimit ?? 6) >= 10, "gives up while a broker starts or a lock runs out"],
  ];
  if (!pod.containers.some(({ args }) => args?.[0] === "run")) return always;
  return [
    ...always,
    [pod.restartPolicy === "Never", "a failure policy needs restartPolicy Never"],
    [
      ends.flatMap(({ values }) => values).join() === "2,3,4",
      "tries again what ends the same, or gives up what may go on",
    ],
    [
      ends.every(({ containerName }) => pod.containers.some((c) => c.name === containerName)),
      "exit codes of a container that is not there",
    ],
    [
      ignored.some((r) => r.onPodConditions?.some(({ type }) => type === "DisruptionTarget")),
      "counts evictions as failures",
    ],
    [spec.podReplacementPolicy === "Failed", "two coordinators at one volume"],
  ];
}

function service({ spec }: Manifest, all: readonly Manifest[]): Rule[] {
  const pods = podsOf(all, spec!.selector);
  const targets = (spec!.ports ?? []).map(({ port, targetPort = port }) => targetPort);
  return [
    [pods.length > 0, "selects no pod"],
    [
      pods.every((pod) => targets.every((target) => hasPort(pod.spec.containers, target))),
      "a port that its pods do not have",
    ],
  ];
}

function budget({ spec }: Manifest, all: readonly Manifest[]): Rule[] {
  return [
    [podsOf(all, spec!.selector?.matchLabels).length > 0, "selects no pod"],
    [
      spec!.minAvailable === undefined && /^[1-9]\d*%$/.test(String(spec!.maxUnavailable)),
      "may hold up drains for ever",
    ],
  ];
}

function podMonitor({ spec, metadata }: Manifest, all: readonly Manifest[]): Rule[] {
  const pods = podsOf(all, spec!.selector?.matchLabels);
  const endpoints = spec!.podMetricsEndpoints ?? [];
  const jobs = endpoints.flatMap(({ relabelings = [] }) =>
    relabelings.filter(({ targetLabel }) => targetLabel === "job").map((r) => r.replacement),
  );
  return [
    [pods.length > 0, "selects no pod"],
    [
      endpoints.length > 0 &&
        pods.every((pod) => endpoints.every(({ port }) => hasPort(pod.spec.containers, port))),
      "a port that its pods do not have",
    ],
    [jobs.join() === metadata.name, "not the job that rules and dashboards know"],
    [metadata.labels?.release !== undefined, "not seen by the operator"],
  ];
}

const POLICY_PORTS = ["metrics", "53", "4222", "6222", "7777", "8222"];

function policy(manifest: Manifest, all: readonly Manifest[]): Rule[] {
  const { ingress = [], egress = [], podSelector } = manifest.spec!;
  const pods = podsOf(all, podSelector?.matchLabels);
  const portsOf = (rules: typeof ingress) =>
    rules.map(({ ports }) => ports?.map(({ port }) => port).join() ?? "any");
  const given = [...portsOf(ingress), ...portsOf(egress)].flatMap((ports) => ports.split(","));
  const own = ingress.flatMap(({ ports = [] }) => ports.map(({ port }) => port));
  const common: Rule[] = [
    [given.every((port) => POLICY_PORTS.includes(port)), "opens a port that no program needs"],
  ];
  // The chart's pods are not among ours.
  if (podSelector?.matchLabels?.["app.kubernetes.io/name"] === "nats") {
    return [...common, [own.includes(4222), "the broker cannot be reached"]];
  }
  const serving = pods.flatMap(({ spec }) => spec.containers).filter(({ ports }) => ports);
  return [
    ...common,
    [pods.length > 0, "selects no pod"],
    [
      serving.every((container) => own.every((port) => hasPort([container], port))),
      "opens a port that its pods do not have",
    ],
    [portsOf(egress).join(" ") === "53,53 4222", "the broker, or its name, is out of reach"],
  ];
}

function scaledObject({ spec }: Manifest, all: readonly Manifest[]): Rule[] {
  const target = all.find(
    (m) => m.kind === "Deployment" && m.metadata.name === spec!.scaleTargetRef?.name,
  );
  const rivals = all.filter(
    (m) => m.kind === "ScaledObject" && m.spec?.scaleTargetRef?.name === spec!.scaleTargetRef?.name,
  );
  const cpu = target && podOf(target)!.spec.containers[0]!.resources?.limits?.cpu;
  const triggers = spec!.triggers ?? [];
  const rules = triggers.flatMap(({ type, metadata }): Rule[] => {
    const threshold = Number(metadata.threshold ?? metadata.lagThreshold);
    const perThread = threshold / Math.ceil(quantity(cpu));
    const enough: Rule = [
      perThread >= 1 && perThread <= 4,
      "threads without a task, or too many tasks for one",
    ];
    if (type === "prometheus") {
      return [enough, [/\bftle_queue_/.test(metadata.query ?? ""), "does not ask for the queue"]];
    }
    return [
      enough,
      [metadata.stream === STREAMS.tasks, "another stream than the tasks'"],
      [metadata.consumer === queueName("ENGINE", "SWEEP"), "no consumer of ours"],
      [accountOf(STREAMS.tasks) === metadata.account, "another account than the streams'"],
      [
        /^nats-headless\.[\w-]+\.svc\.cluster\.local:8222$/.test(
          metadata.natsServerMonitoringEndpoint ?? "",
        ),
        "asks another server than the consumer's leader",
      ],
    ];
  });
  return [
    [target !== undefined, "scales nothing"],
    [target?.spec?.replicas === undefined, "a number of replicas that each apply would set again"],
    [rivals.length === 1, "two scale one Deployment"],
    [triggers.length > 0, "no trigger"],
    ...rules,
  ];
}

/** The account that may make a stream, by the roles that ship. */
function accountOf(stream: string): string | undefined {
  const roles = readFileSync(repositoryFile("deploy/nats/roles.conf"), "utf8");
  const at = roles.indexOf(`$JS.API.STREAM.CREATE.${stream}"`);
  return [...roles.slice(0, at).matchAll(/^ {2}(\w+) \{$/gm)].at(-1)?.[1];
}
