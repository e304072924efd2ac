/** Mistakes in what manifests pass to the program, and say of each other. */
import { nameOf } from "./kubernetes-manifest.ts";
import type { Loose, Mistake } from "./kubernetes-mistake.ts";
import {
  inContainer,
  inPod,
  inSpec,
  mistake,
  SCALER,
  SWEEP,
  setVariable,
  WORKER,
} from "./kubernetes-mistake.ts";

export const NAME_MISTAKES: readonly Mistake[] = [
  // Of the program.
  mistake(
    "demo",
    "a grace that is cut short",
    "program",
    "is killed before",
    inPod(WORKER, (p) => (p.terminationGracePeriodSeconds = 20)),
  ),
  mistake(
    "spot",
    "a grace of the base on spot nodes",
    "program",
    "is killed before",
    inContainer(WORKER, (c) => (c.args = ["worker", "--grace", "20s"])),
  ),
  mistake(
    "demo",
    "an option of another program",
    "program",
    "does not know --gracious",
    inContainer(WORKER, (c) => (c.args = ["worker", "--gracious"])),
  ),
  mistake(
    "demo",
    "a duration without a unit",
    "program",
    "does not understand soon",
    inContainer(WORKER, (c) => (c.args = ["worker", "--grace", "soon"])),
  ),
  mistake(
    "demo",
    "a misspelt variable",
    "program",
    "does not know FTLE_NAT",
    inContainer(WORKER, (c) => (c.env![0]!.name = "FTLE_NAT")),
  ),
  mistake(
    "demo",
    "metrics for the pod alone",
    "program",
    "metrics at another port",
    inContainer(WORKER, setVariable("FTLE_METRICS", "9465")),
  ),
  mistake(
    "demo",
    "metrics at the other's port",
    "program",
    "metrics at another port",
    inContainer(WORKER, setVariable("FTLE_METRICS", "0.0.0.0:9464")),
  ),
  mistake(
    "demo",
    "a port by another name",
    "program",
    "its port is not called metrics",
    inContainer(WORKER, (c) => (c.ports![0]!.name = "http")),
  ),
  mistake(
    "demo",
    "liveness by the broker",
    "program",
    "restarted for another reason",
    inContainer(WORKER, (c) => (c.livenessProbe!.httpGet!.path = "/readyz")),
  ),
  mistake(
    "demo",
    "no time to start",
    "program",
    "has no time to start",
    inContainer(WORKER, (c) => delete c.startupProbe),
  ),
  mistake(
    "demo",
    "heaps beyond the memory",
    "program",
    "may outgrow",
    inContainer(WORKER, setVariable("NODE_OPTIONS", "--max-old-space-size=600")),
  ),
  mistake(
    "production",
    "threads of the node",
    "program",
    "threads are not its CPUs",
    inContainer(WORKER, (c) => (c.env = c.env!.filter((v) => v.name !== "FTLE_THREADS"))),
  ),
  mistake(
    "production",
    "a key straight from its Secret",
    "program",
    "the program would refuse",
    inPod(WORKER, (p) => {
      p.containers[0]!.env!.find((v) => v.name === "FTLE_NATS_CREDENTIALS")!.value =
        "/secret/worker.nk";
      p.containers[0]!.volumeMounts!.push({ name: "secret", mountPath: "/secret" });
    }),
  ),
  mistake(
    "production",
    "a key that all may read",
    "program",
    "or by everybody",
    inPod(WORKER, (p) => (p.volumes!.find((v) => v.secret)!.secret!.defaultMode = 0o444)),
  ),
  mistake(
    "production",
    "the coordinator's key for workers",
    "program",
    "the key of another role",
    inContainer(WORKER, setVariable("FTLE_NATS_CREDENTIALS", "/key/coordinator.nk")),
  ),
  mistake("production", "a broker without TLS", "program", "a key without TLS", (all) => {
    const found = all.find((m) => nameOf(m) === "ConfigMap/ftle-broker")!;
    return Object.assign(found, { data: { url: "nats://nats:4222" } });
  }),

  // Of names.
  mistake(
    "demo",
    "labels that its selector does not know",
    "reference",
    "does not select its own pods",
    inSpec(
      WORKER,
      (s) => (s.template!.metadata.labels!["app.kubernetes.io/component"] = "workers"),
    ),
  ),
  mistake(
    "production",
    "a budget for no pod",
    "reference",
    "selects no pod",
    inSpec(
      "PodDisruptionBudget/ftle-worker",
      (s) => (s.selector!.matchLabels!["app.kubernetes.io/component"] = "workers"),
    ),
  ),
  mistake(
    "production",
    "a budget that stops drains",
    "reference",
    "may hold up drains",
    inSpec("PodDisruptionBudget/ftle-worker", (s) => (s.maxUnavailable = 0)),
  ),
  mistake(
    "production",
    "a monitor of another port",
    "reference",
    "a port that its pods do not have",
    inSpec("PodMonitor/ftle-worker", (s) => (s.podMetricsEndpoints![0]!.port = "http-metrics")),
  ),
  mistake(
    "production",
    "a monitor without the job's name",
    "reference",
    "not the job",
    inSpec("PodMonitor/ftle-worker", (s) => (s.podMetricsEndpoints![0]!.relabelings = [])),
  ),
  mistake(
    "demo",
    "a spec by another name",
    "reference",
    "something that is not there",
    inPod(SWEEP, (p) => (p.volumes![0]!.configMap = { name: "sweep" } as Loose<{ name: string }>)),
  ),
  mistake(
    "demo",
    "a key that its ConfigMap does not have",
    "reference",
    "no key nats in",
    inContainer(
      WORKER,
      (c) => (c.env!.find((v) => v.name === "FTLE_NATS")!.valueFrom!.configMapKeyRef!.key = "nats"),
    ),
  ),
  mistake(
    "demo",
    "a Service of another port",
    "reference",
    "a port that its pods do not have",
    inSpec("Service/nats", (s) => (s.ports![0]!.targetPort = "client")),
  ),
  mistake(
    "demo",
    "a wrong spec tried again",
    "reference",
    "tries again what ends the same",
    inSpec(SWEEP, (s) => (s.podFailurePolicy!.rules[0]!.onExitCodes!.values = [2])),
  ),
  mistake(
    "demo",
    "an interruption that ends it",
    "reference",
    "gives up what may go on",
    inSpec(SWEEP, (s) => (s.podFailurePolicy!.rules[0]!.onExitCodes!.values = [2, 3, 4, 130])),
  ),
  mistake(
    "demo",
    "evictions that count",
    "reference",
    "counts evictions",
    inSpec(SWEEP, (s) => s.podFailurePolicy!.rules.pop()),
  ),
  mistake(
    "demo",
    "spreading that stops it",
    "reference",
    "does not spread",
    inPod(WORKER, (p) => (p.topologySpreadConstraints![1]!.whenUnsatisfiable = "DoNotSchedule")),
  ),
  mistake(
    "production",
    "a fixed number and a scaler",
    "reference",
    "each apply would set again",
    inSpec(WORKER, (s) => (s.replicas = 3)),
  ),
  mistake(
    "production",
    "a scaler of nothing",
    "reference",
    "scales nothing",
    inSpec(SCALER, (s) => (s.scaleTargetRef!.name = "worker")),
  ),
  mistake(
    "one sweep",
    "another stream",
    "reference",
    "another stream",
    inSpec(SCALER, (s) => (s.triggers![0]!.metadata.stream = "FTLE_TASK")),
  ),
  mistake(
    "one sweep",
    "a consumer as a subject",
    "reference",
    "no consumer of ours",
    inSpec(SCALER, (s) => (s.triggers![0]!.metadata.consumer = "ENGINE.SWEEP")),
  ),
  mistake(
    "one sweep",
    "the global account",
    "reference",
    "another account",
    inSpec(SCALER, (s) => (s.triggers![0]!.metadata.account = "$G")),
  ),
  mistake(
    "one sweep",
    "the service that balances",
    "reference",
    "consumer's leader",
    inSpec(
      SCALER,
      (s) =>
        (s.triggers![0]!.metadata.natsServerMonitoringEndpoint =
          "nats.ftle.svc.cluster.local:8222"),
    ),
  ),
  mistake(
    "production",
    "a policy that cuts off the broker",
    "reference",
    "out of reach",
    inSpec("NetworkPolicy/ftle-sweeper", (s) => s.egress!.pop()),
  ),
  mistake(
    "production",
    "a policy that opens all ports",
    "reference",
    "no program needs",
    inSpec("NetworkPolicy/ftle-sweeper", (s) => delete s.ingress![0]!.ports),
  ),
  mistake(
    "production",
    "a manifest in another namespace",
    "reference",
    "in several namespaces",
    (all) => {
      const found = all.find((m) => nameOf(m) === WORKER)!;
      Object.assign(found.metadata, { namespace: "default" });
      return found;
    },
  ),
];
