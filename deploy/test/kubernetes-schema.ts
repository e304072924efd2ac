/** Validates manifests strictly, field by field: those of Kubernetes itself, and those of operators. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import type { ValidateFunction } from "ajv";
import { Ajv } from "ajv";
import { repositoryFile } from "../../shared/testing/repository.ts";
import type { Manifest } from "./kubernetes-manifest.ts";
import { nameOf } from "./kubernetes-manifest.ts";

/** Kubernetes' own description of its API: beside the repository, not in it. */
const SWAGGER = fileURLToPath(repositoryFile("../shared/schemas/kubernetes-1.36-swagger.json"));
export const hasSwagger = existsSync(SWAGGER);

interface Definition {
  properties?: unknown;
  additionalProperties?: unknown;
  "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
}

/** Of Kubernetes' own kinds; unknown fields are faults. */
export function coreValidator(): (manifest: Manifest) => string[] {
  const { definitions } = JSON.parse(readFileSync(SWAGGER, "utf8")) as {
    definitions: Record<string, Definition>;
  };
  const kinds = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.properties !== undefined) definition.additionalProperties ??= false;
    for (const { group, version, kind } of definition["x-kubernetes-group-version-kind"] ?? []) {
      kinds.set(`${group === "" ? "" : `${group}/`}${version} ${kind}`, name);
    }
  }
  // For these two, the description requires less than the server does.
  const number = String.raw`[+-]?(\d+\.?\d*|\.\d+)`;
  Object.assign(definitions, {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { type: ["integer", "string"] },
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
      type: ["string", "number"],
      pattern: `^${number}([KMGTPE]i|[numkMGTPE]|[eE][+-]?\\d+)?$`,
    },
  });
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: "kubernetes", definitions });
  const validators = new Map<string, ValidateFunction>();
  return (manifest) => {
    const kind = `${manifest.apiVersion} ${manifest.kind}`;
    const name = kinds.get(kind);
    if (name === undefined) return [`${nameOf(manifest)}: no such kind: ${kind}`];
    const validate =
      validators.get(name) ?? ajv.compile({ $ref: `kubernetes#/definitions/${name}` });
    validators.set(name, validate);
    if (validate(manifest)) return [];
    return validate.errors!.map(
      ({ instancePath, message, params }) =>
        `${nameOf(manifest)}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** What operators add: the class with the validation of its values, and where the type is. */
const MODELS = {
  ScaledObject: [ScaledObject, "keda/keda.sh/v1alpha1/ScaledObject"],
  PodMonitor: [PodMonitor, "prometheus-operator/monitoring.coreos.com/v1/PodMonitor"],
  PrometheusRule: [PrometheusRule, "prometheus-operator/monitoring.coreos.com/v1/PrometheusRule"],
} as const;

export function isOperators({ kind }: Manifest): boolean {
  return kind in MODELS;
}

/** Values of the wrong type or form, and missing fields; `unknownFields` finds those that are unknown. */
export function operatorFaults(manifest: Manifest): string[] {
  const [Model] = MODELS[manifest.kind as keyof typeof MODELS];
  const model = new Model(manifest as never);
  if (model.apiVersion !== manifest.apiVersion) return [`no such version: ${manifest.apiVersion}`];
  try {
    model.validate();
    return [];
  } catch (error) {
    return [`${nameOf(manifest)}: ${(error as Error).message}`];
  }
}

/**
 * Asks the compiler whether each manifest, written as a literal, is of its kind's type: it knows every field.
 * @returns what it says of each.
 */
export function unknownFields(manifests: readonly Manifest[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "ftle-manifests-"));
  const modules = fileURLToPath(repositoryFile("node_modules"));
  try {
    symlinkSync(modules, join(folder, "node_modules"));
    const files = manifests.map((manifest, i) => {
      const { kind } = manifest;
      const path = MODELS[kind as keyof typeof MODELS][1];
      const source = `import type { I${kind} } from "@kubernetes-models/${path}";
export const it: I${kind} = ${JSON.stringify(manifest)};\n`;
      writeFileSync(join(folder, `m${i}.ts`), source);
      return `m${i}.ts`;
    });
    const options = "--noEmit --strict --skipLibCheck --ignoreConfig --pretty false";
    const target = "--module nodenext --target es2023";
    const program = join(modules, ".bin/tsc");
    const { stdout, error } = spawnSync(
      program,
      [...options.split(" "), ...target.split(" "), ...files],
      { cwd: folder, encoding: "utf8" },
    );
    if (error !== undefined) throw error;
    const lines = stdout.split("\n").filter((line) => line.includes("error TS"));
    const told = manifests.map((_, i) => lines.filter((line) => line.startsWith(`m${i}.ts(`)));
    const others = lines.filter((line) => !/^m\d+\.ts\(/.test(line));
    if (others.length > 0) throw new Error(others.join("\n"));
    return told;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
