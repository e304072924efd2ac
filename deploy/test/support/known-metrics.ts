/** What Prometheus can be asked for: what is exported, and what our rules record of it. */

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { repositoryFile } from "../../../shared/testing/repository.ts";
import { exportedMetrics, type KnownMetric } from "./exported-metrics.ts";
import { checkedLabels } from "./promql.ts";

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function rulesOf(name: "recording" | "alerts"): Rule[] {
  const path = repositoryFile(`deploy/prometheus/rules/${name}.yml`);
  const { groups } = parse(readFileSync(path, "utf8")) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** @throws if a recording rule names what is not there. */
export function knownMetrics(): Map<string, KnownMetric> {
  const known = exportedMetrics();
  for (const { record, expr } of rulesOf("recording")) {
    known.set(record!, { labels: checkedLabels(expr, known), isCounter: false });
  }
  return known;
}
