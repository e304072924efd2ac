/**
 * Writes the rules of ../prometheus as a PrometheusRule, because kustomize can copy no file into one:
 * node --import tsx deploy/kubernetes/write-rules.ts
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse, stringify } from "yaml";
import { repositoryFile } from "../../shared/testing/repository.ts";

/** Where it is written. */
export const RULES_FILE = repositoryFile(
  "deploy/kubernetes/components/prometheus-operator/rules.yaml",
);
const SOURCES = ["recording.yml", "alerts.yml"];

/** What the file must hold. */
export function prometheusRule(): string {
  const groups = SOURCES.flatMap((file) => {
    const path = repositoryFile(`deploy/prometheus/rules/${file}`);
    return parse(readFileSync(path, "utf8")).groups as unknown[];
  });
  const rule = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: {
      name: "ftle",
      labels: {
        "app.kubernetes.io/name": "ftle-sweeper",
        release: "kube-prometheus-stack",
      },
    },
    spec: { groups },
  };
  const head = `# Generated from deploy/prometheus/rules by node --import tsx deploy/kubernetes/write-rules.ts\n`;
  return head + stringify(rule, { lineWidth: 0 });
}

const isProgram = import.meta.url === pathToFileURL(process.argv[1] ?? "").href;
if (isProgram) writeFileSync(fileURLToPath(RULES_FILE), prometheusRule());
