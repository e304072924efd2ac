/** What kustomize makes of a folder of deploy/kubernetes, as far as the tests look at it. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { toolPath } from "../testing/tool.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Spec;
}

export type Labels = Readonly<Record<string, string>>;
export interface Selector {
  readonly matchLabels?: Labels;
}

/** Fields of several kinds' specs. */
export interface Spec extends Partial<PodSpec> {
  readonly replicas?: number;
  readonly selector?: Selector & Labels;
  readonly template?: { readonly metadata: { readonly labels?: Labels }; readonly spec: PodSpec };
  readonly strategy?: { readonly rollingUpdate?: Readonly<Record<string, unknown>> };
  readonly backoffLimit?: number;
  readonly podReplacementPolicy?: string;
  readonly podFailurePolicy?: { readonly rules: readonly FailureRule[] };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  readonly maxUnavailable?: number | string;
  readonly minAvailable?: number | string;
  readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
  readonly podMetricsEndpoints?: readonly {
    readonly port: string;
    readonly relabelings: readonly { readonly targetLabel: string; readonly replacement: string }[];
  }[];
  readonly scaleTargetRef?: { readonly name: string };
  readonly triggers?: readonly { readonly type: string; readonly metadata: Labels }[];
  readonly podSelector?: Selector;
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

interface FailureRule {
  readonly action: string;
  readonly onExitCodes?: { readonly containerName: string; readonly values: readonly number[] };
  readonly onPodConditions?: readonly { readonly type: string }[];
}

interface PolicyRule {
  readonly ports?: readonly { readonly port: number | string }[];
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly restartPolicy?: string;
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext;
  readonly topologySpreadConstraints?: readonly {
    readonly whenUnsatisfiable: string;
    readonly labelSelector: Selector;
  }[];
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number };
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly fsGroup?: number;
  readonly seccompProfile?: { readonly type: string };
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly hostPort?: number;
  }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels };
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: { readonly name: string; readonly key: string };
    readonly resourceFieldRef?: { readonly resource: string };
  };
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: number | string };
}

let kustomize: string | undefined;
const ROOT = repositoryFile("deploy/kubernetes/");

/** @param folder e.g. `overlays/demo`. @throws Error with what kustomize says. */
export function render(folder: string): Manifest[] {
  kustomize ??= toolPath("kustomize");
  const path = fileURLToPath(new URL(folder, ROOT));
  return manifestsOf(execFileSync(kustomize, ["build", path], { encoding: "utf8" }));
}

export function manifestsOf(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

/** `kind/name`, for messages. */
export function nameOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

/** The pod that a manifest is, or makes. */
export function podOf({
  kind,
  metadata,
  spec,
}: Manifest): { labels: Labels; spec: PodSpec } | null {
  if (kind === "Pod") return { labels: metadata.labels ?? {}, spec: spec as PodSpec };
  if (spec?.template === undefined) return null;
  return { labels: spec.template.metadata.labels ?? {}, spec: spec.template.spec };
}

/** Whether labels are all that a selector asks for; an empty selector is a fault here. */
export function matches(wanted: Labels | undefined, labels: Labels): boolean {
  const entries = Object.entries(wanted ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels[key] === value);
}

/** `500m`, `2`, `1Gi`, `20GB`: in units or bytes. */
export function quantity(text: string | undefined): number {
  const [, number, suffix = ""] = /^([\d.]+)([kMG]i?|m)?$/.exec(text ?? "") ?? [];
  const factor = { "": 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
  return Number(number) * factor[suffix as keyof typeof factor];
}
