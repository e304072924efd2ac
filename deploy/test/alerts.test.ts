import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { until } from "../../cli/test/support/until.ts";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { RUNBOOKS } from "../grafana/src/panels.ts";
import type { Labels } from "../testing/alertmanager.ts";
import { startAlertmanager } from "../testing/alertmanager.ts";
import { toolPath, withoutTool } from "../testing/tool.ts";
import { knownMetrics, rulesOf } from "./support/known-metrics.ts";
import { checkedLabels } from "./support/promql.ts";

const PROMETHEUS = fileURLToPath(repositoryFile("deploy/prometheus"));
const RUNBOOK_FOLDER = repositoryFile("deploy/runbooks/");
const HEADINGS = ["Meaning", "Causes", "Check", "Remedy"];

const known = knownMetrics();
const alerts = rulesOf("alerts");
const names = alerts.map(({ alert }) => alert!);

const unitTests = () => readdirSync(`${PROMETHEUS}/rules/tests`).sort();

function run(tool: "promtool" | "amtool", ...args: string[]): string {
  return execFileSync(toolPath(tool), args, { cwd: PROMETHEUS, encoding: "utf8", stdio: "pipe" });
}

test("alerts: promtool finds rules and configuration in order", () => {
  run("promtool", "check", "rules", "rules/recording.yml", "rules/alerts.yml");
  run("promtool", "check", "config", "prometheus.yml");
});

test("alerts: each fires when it must and is silent when not, as promtool's unit tests say", () => {
  run("promtool", "test", "rules", ...unitTests().map((file) => `rules/tests/${file}`));
});

test("alerts: each has a unit test in which it fires, and one in which it is silent", () => {
  interface UnitTests {
    tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[];
  }
  const fires = new Set<string>();
  const isSilent = new Set<string>();
  for (const file of unitTests()) {
    const text = readFileSync(`${PROMETHEUS}/rules/tests/${file}`, "utf8");
    for (const { alert_rule_test: cases = [] } of (parse(text) as UnitTests).tests) {
      for (const { alertname, exp_alerts: expected } of cases) {
        (expected.length > 0 ? fires : isSilent).add(alertname);
      }
    }
  }
  assert.deepEqual([...fires].sort(), [...names].sort());
  assert.deepEqual([...isSilent].sort(), [...names].sort());
});

test("alerts: each asks for metrics and labels that the code exports, and mentions only labels that it has", () => {
  for (const { alert, expr, annotations = {} } of alerts) {
    const labels = checkedLabels(expr, known);
    for (const [, label] of Object.values(annotations)
      .join()
      .matchAll(/\$labels\.(\w+)/g)) {
      assert.ok(labels.has(label!), `${alert}: no label ${label}`);
    }
  }
});

test("alerts: each has a severity, a summary, a description with its facts, and its runbook", () => {
  assert.equal(new Set(names).size, names.length);
  for (const { alert, labels, annotations } of alerts) {
    assert.match(alert!, /^Ftle[A-Z]\w+$/);
    assert.match(labels?.severity ?? "", /^(critical|warning|info)$/, alert);
    assert.ok((annotations?.summary ?? "").length > 10, alert);
    assert.match(annotations?.description ?? "", /\{\{.*\$(value|labels)/, alert);
    assert.equal(annotations?.runbook_url, `${RUNBOOKS}/${alert}.md`);
  }
});

test("runbooks: there is one for each alert and no other, with all headings and the alert's severity", () => {
  const files = readdirSync(RUNBOOK_FOLDER).sort();
  assert.deepEqual(files, names.map((name) => `${name}.md`).sort());
  for (const { alert, labels } of alerts) {
    const text = readFileSync(new URL(`${alert}.md`, RUNBOOK_FOLDER), "utf8");
    assert.equal(text.split("\n")[0], `# ${alert}`);
    assert.ok(text.includes(`\nSeverity: ${labels?.severity}.\n`), alert);
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings, HEADINGS, alert);
    for (const part of text.split(/^## .*$/m).slice(1)) assert.ok(part.trim().length > 40, alert);
  }
});

test("runbooks: every query in them asks for what the code exports", () => {
  for (const name of names) {
    const text = readFileSync(new URL(`${name}.md`, RUNBOOK_FOLDER), "utf8");
    const queries = [...text.matchAll(/```promql\n(.*?)\n```/gs)].map(([, query]) => query!);
    assert.ok(queries.length > 0, `${name}: no query`);
    for (const query of queries) assert.doesNotThrow(() => checkedLabels(query, known), name);
  }
});

test("alerts: the README's table has each with its severity", () => {
  const text = readFileSync(`${PROMETHEUS}/README.md`, "utf8");
  const rows = [...text.matchAll(/^\| `(Ftle\w+)` \| (\w+) \|/gm)].map(([, name, severity]) => [
    name,
    severity,
  ]);
  const expected = alerts.map(({ alert, labels }) => [alert, labels?.severity]);
  assert.deepEqual(rows.sort(), expected.sort());
});

test("prometheus.yml: asks at the ports where the code serves", () => {
  const text = readFileSync(`${PROMETHEUS}/prometheus.yml`, "utf8");
  const ports = [...text.matchAll(/127\.0\.0\.1:(94\d\d)/g)].map(([, port]) => Number(port));
  assert.deepEqual(new Set(ports), new Set([METRICS_PORTS.coordinator]));
});

test("alertmanager.yml: is in order, and routes by severity", () => {
  run("amtool", "check-config", "alertmanager.yml");
  const routed = (severity: string) =>
    run(
      "amtool",
      "config",
      "routes",
      "test",
      "--config.file=alertmanager.yml",
      `severity=${severity}`,
    );
  assert.equal(routed("critical").trim(), "pager");
  assert.equal(routed("warning").trim(), "chat");
  assert.equal(routed("info").trim(), "nobody");
});

test("alertmanager.yml: names only alerts that exist, and labels that they have", () => {
  interface Inhibition {
    source_matchers: string[];
    target_matchers: string[];
    equal?: string[];
  }
  const text = readFileSync(`${PROMETHEUS}/alertmanager.yml`, "utf8");
  const { inhibit_rules: rules } = parse(text) as { inhibit_rules: Inhibition[] };
  for (const { source_matchers, target_matchers, equal = [] } of rules) {
    for (const name of [...source_matchers, ...target_matchers].join().match(/Ftle\w+/g)!) {
      const rule = alerts.find(({ alert }) => alert === name);
      assert.ok(rule, `no alert ${name}`);
      const labels = checkedLabels(rule.expr, known);
      for (const label of equal) assert.ok(labels.has(label), `${name} has no label ${label}`);
    }
  }
});

test("alertmanager.yml: a real Alertmanager holds back what another alert explains, and only that", {
  skip: withoutTool("alertmanager"),
}, async () => {
  const keyOf = ({ alertname, sweep, engine }: Labels) =>
    [alertname, sweep ?? engine ?? []].flat().join(" ");
  const alertmanager = await startAlertmanager(`${PROMETHEUS}/alertmanager.yml`);
  try {
    const inSweep = (alertname: string, sweep: string) => ({ alertname, sweep });
    let batches = 0;
    /** Which of these are held back; of each its name and what it is about. */
    const held = async (...alerts: Labels[]) => {
      await alertmanager.post(alerts);
      // It takes alerts in turn: when it has seen this pair, it has seen those before.
      const last = `last-${++batches}`;
      await alertmanager.post([inSweep("FtleSweepFailed", last), inSweep("FtleEtaSlip", last)]);
      const keys = async () => (await alertmanager.heldBack()).map(keyOf).sort();
      const seen = `FtleEtaSlip ${last}`;
      await until("all are seen", async () => (await keys()).includes(seen));
      const mine = alerts.map(keyOf);
      return (await keys()).filter((key) => mine.includes(key));
    };
    assert.deepEqual(
      await held(
        inSweep("FtleNoWorkers", "a"),
        inSweep("FtleSweepStalled", "a"),
        inSweep("FtleEtaSlip", "a"),
        inSweep("FtleDeadLetters", "a"),
        inSweep("FtleSweepStalled", "b"),
      ),
      ["FtleEtaSlip a", "FtleSweepStalled a"],
    );
    assert.deepEqual(
      await held(
        inSweep("FtleCoordinatorDown", "c"),
        inSweep("FtleSweepStalled", "c"),
        inSweep("FtleEtaSlip", "c"),
        inSweep("FtleNoWorkers", "c"),
        { alertname: "FtleNoWorkers", sweep: "d", engine: "native-1" },
        { alertname: "FtleWorkersStarved", engine: "native-1" },
        { alertname: "FtleWorkersStarved", engine: "tfjs-1" },
        { alertname: "FtleRedeliveryHigh", sweep: "d" },
      ),
      ["FtleEtaSlip c", "FtleNoWorkers c", "FtleSweepStalled c", "FtleWorkersStarved native-1"],
    );
    assert.deepEqual(
      await held(
        { alertname: "FtleBrokerDisconnected", job: "ftle-coordinator" },
        inSweep("FtleNoWorkers", "e"),
        inSweep("FtleDeadLetters", "e"),
        { alertname: "FtleWorkerLost" },
        { alertname: "FtleTaskFailureRateHigh", kind: "train" },
        inSweep("FtleRedeliveryHigh", "e"),
      ),
      ["FtleNoWorkers e", "FtleRedeliveryHigh e", "FtleWorkerLost"],
    );
  } finally {
    await alertmanager.stop();
  }
});
