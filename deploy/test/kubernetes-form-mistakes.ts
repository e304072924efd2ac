/** Mistakes of form, and of rights. */
import type { Mistake } from "./kubernetes-mistake.ts";
import {
  inContainer,
  inPod,
  inSpec,
  mistake,
  SCALER,
  SWEEP,
  WORKER,
} from "./kubernetes-mistake.ts";

export const FORM_MISTAKES: readonly Mistake[] = [
  // Of form.
  mistake(
    "demo",
    "a misspelt field",
    "schema",
    "replica",
    inSpec(WORKER, (s) => (s.replica = 2)),
  ),
  mistake(
    "demo",
    "a misspelt probe",
    "schema",
    "livenesProbe",
    inContainer(WORKER, (c) => (c.livenesProbe = c.livenessProbe)),
  ),
  mistake(
    "demo",
    "seconds with a unit",
    "schema",
    "must be integer",
    inPod(WORKER, (p) => ((p as Record<string, unknown>).terminationGracePeriodSeconds = "30s")),
  ),
  mistake(
    "demo",
    "a quantity with a wrong unit",
    "schema",
    "must match pattern",
    inContainer(WORKER, (c) => (c.resources!.limits!.memory = "1GiB")),
  ),
  mistake(
    "demo",
    "a variable that is no text",
    "schema",
    "must be string",
    inContainer(WORKER, (c) => ((c.env![0] as Record<string, unknown>).value = 4)),
  ),
  mistake(
    "demo",
    "a variable without a name",
    "schema",
    "required property 'name'",
    inContainer(WORKER, (c) => delete (c.env![0] as Record<string, unknown>).name),
  ),
  mistake("demo", "a version that is gone", "schema", "no such kind", (all) => {
    const found = all.find(({ kind }) => kind === "PodDisruptionBudget")!;
    return Object.assign(found, { apiVersion: "policy/v1beta1" });
  }),
  mistake(
    "production",
    "KEDA's number without quotes",
    "model",
    "must be string",
    inSpec(SCALER, (s) => ((s.triggers![0]!.metadata as Record<string, unknown>).threshold = 8)),
  ),
  mistake(
    "production",
    "KEDA's misspelt field",
    "type",
    "maxReplicas",
    inSpec(SCALER, (s) => (s.maxReplicas = 9)),
  ),
  mistake(
    "production",
    "a trigger without its type",
    "model",
    "required property type",
    inSpec(SCALER, (s) => delete (s.triggers![0] as Record<string, unknown>).type),
  ),
  mistake(
    "production",
    "an interval with a wrong unit",
    "model",
    "must match pattern",
    inSpec(
      "PodMonitor/ftle-worker",
      (s) => ((s.podMetricsEndpoints![0] as Record<string, unknown>).interval = "15 s"),
    ),
  ),
  mistake(
    "production",
    "ServiceMonitor's endpoints",
    "type",
    "endpoints",
    inSpec("PodMonitor/ftle-worker", (s) => (s.endpoints = s.podMetricsEndpoints)),
  ),

  // Of rights.
  mistake(
    "demo",
    "nothing against root",
    "pod",
    "may run as root",
    inPod(WORKER, (p) => delete p.securityContext!.runAsNonRoot),
  ),
  mistake(
    "demo",
    "no seccomp profile",
    "pod",
    "no seccomp profile",
    inPod(SWEEP, (p) => delete p.securityContext!.seccompProfile),
  ),
  mistake(
    "demo",
    "gains rights",
    "pod",
    "can gain rights",
    inContainer(SWEEP, (c) => delete c.securityContext!.allowPrivilegeEscalation),
  ),
  mistake(
    "production",
    "an initContainer with capabilities",
    "pod",
    "key keeps capabilities",
    inPod(WORKER, (p) => (p.initContainers![0]!.securityContext!.capabilities = {})),
  ),
  mistake(
    "demo",
    "root that can be written to",
    "pod",
    "root can be written to",
    inContainer("StatefulSet/nats", (c) => (c.securityContext!.readOnlyRootFilesystem = false)),
  ),
  mistake(
    "demo",
    "no fsGroup for its volume",
    "pod",
    "cannot use its volumes",
    inPod(SWEEP, (p) => delete p.securityContext!.fsGroup),
  ),
  mistake(
    "demo",
    "a folder of the node",
    "pod",
    "a volume that may be the node's",
    inPod(WORKER, (p) => p.volumes!.push({ name: "x", hostPath: { path: "/" } })),
  ),
  mistake(
    "demo",
    "a token",
    "pod",
    "has a token",
    inPod(WORKER, (p) => delete p.automountServiceAccountToken),
  ),
  mistake(
    "production",
    "an image without a tag",
    "pod",
    "image not pinned",
    inContainer(WORKER, (c) => (c.image = "registry.example.org/ftle-sweeper")),
  ),
  mistake(
    "demo",
    "memory that others need, too",
    "pod",
    "memory that is not its own",
    inContainer(SWEEP, (c) => (c.resources!.requests!.memory = "512Mi")),
  ),
  mistake(
    "demo",
    "a volume that is not mounted",
    "pod",
    "a volume that no container mounts",
    inContainer(
      SWEEP,
      (c) => (c.volumeMounts = c.volumeMounts!.filter((m) => m.mountPath !== "/spec")),
    ),
  ),
];
