/** What the Pod Security standard "restricted" forbids, and what we ask of every pod besides. */
import type { Container, Manifest, PodSpec } from "./kubernetes-manifest.ts";
import { nameOf, podOf } from "./kubernetes-manifest.ts";

type Rule = readonly [holds: boolean, fault: string];

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and our own. */
export function podFaults(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => {
    const pod = podOf(manifest);
    if (pod === null) return [];
    const rules = [
      ...ofPod(pod.spec, manifest),
      ...[...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) =>
        ofContainer(container, pod.spec),
      ),
    ];
    return rules.filter(([holds]) => !holds).map(([, fault]) => `${nameOf(manifest)}: ${fault}`);
  });
}

const HARMLESS_VOLUMES = ["configMap", "secret", "emptyDir", "persistentVolumeClaim"];

function ofPod(spec: PodSpec, manifest: Manifest): Rule[] {
  const { securityContext = {}, volumes = [] } = spec;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const claims = volumes.some((v) => v.persistentVolumeClaim ?? v.secret);
  const claimed = (manifest.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
  const names = [...volumes.map(({ name }) => name), ...claimed];
  return [
    [!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, "shares the node's network or processes"],
    [
      volumes.every((v) =>
        Object.keys(v).every((k) => k === "name" || HARMLESS_VOLUMES.includes(k)),
      ),
      "a volume that may be the node's",
    ],
    [securityContext.runAsNonRoot === true, "may run as root"],
    [(securityContext.runAsUser ?? 0) > 0, "runs as root, or as the image's user"],
    [securityContext.seccompProfile?.type === "RuntimeDefault", "no seccomp profile"],
    [!claims || securityContext.fsGroup === securityContext.runAsUser, "cannot use its volumes"],
    [spec.automountServiceAccountToken === false, "has a token"],
    [spec.enableServiceLinks === false, "an environment full of others' addresses"],
    [
      containers.every(({ volumeMounts = [] }) =>
        volumeMounts.every((m) => names.includes(m.name)),
      ),
      "mounts a volume that is not there",
    ],
    [
      names.every((name) => containers.some((c) => c.volumeMounts?.some((m) => m.name === name))),
      "a volume that no container mounts",
    ],
    [
      volumes.every((v) => v.emptyDir === undefined || v.emptyDir.sizeLimit !== undefined),
      "a folder that may fill the node's disk",
    ],
  ];
}

function ofContainer(container: Container, { volumes = [] }: PodSpec): Rule[] {
  const { securityContext: own = {}, resources = {}, volumeMounts = [], image } = container;
  const { requests = {}, limits = {} } = resources;
  const mountsTmp = volumeMounts.some(({ mountPath }) => mountPath === "/tmp");
  const rules: Rule[] = [
    [own.privileged !== true, "is privileged"],
    [own.allowPrivilegeEscalation === false, "can gain rights"],
    [own.capabilities?.drop?.includes("ALL") === true, "keeps capabilities"],
    [own.capabilities?.add === undefined, "has capabilities"],
    [own.runAsNonRoot !== false && own.runAsUser === undefined, "is another user than its pod"],
    [own.seccompProfile === undefined, "another seccomp profile than its pod"],
    [own.readOnlyRootFilesystem === true, "root can be written to"],
    [(container.ports ?? []).every((p) => p.hostPort === undefined), "a port of the node"],
    [
      limits.memory !== undefined && requests.memory === limits.memory,
      "memory that is not its own",
    ],
    [requests.cpu !== undefined, "asks for no CPU"],
    [/:[\w.-]+$/.test(image) && !image.endsWith(":latest"), "image not pinned"],
    [
      !isOurs(container) || volumes.length === 0 || mountsTmp || container.name === "key",
      "nowhere to write temporary files",
    ],
  ];
  return rules.map(([holds, fault]) => [holds, `${container.name} ${fault}`]);
}

/** Whether it runs our image. */
export function isOurs({ image }: Container): boolean {
  return /(^|\/)ftle-sweeper:/.test(image);
}
