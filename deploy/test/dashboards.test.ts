import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { Ajv } from "ajv";
import { stringify } from "yaml";
import { inFolder } from "../../cli/test/support/folder.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { DASHBOARDS, dashboardJson } from "../grafana/src/dashboards.ts";
import { panelQueries, panelsOf, withValues } from "../grafana/src/queries.ts";
import { toolPath } from "../testing/tool.ts";
import { faultsOf } from "./support/dashboard-lint.ts";
import { exportedMetrics } from "./support/exported-metrics.ts";
import { knownMetrics, rulesOf } from "./support/known-metrics.ts";
import { metricsIn } from "./support/promql.ts";

const SCHEMA = repositoryFile("../shared/schemas/grafana-dashboard.schema.json");
const FOLDER = repositoryFile("deploy/grafana/dashboards/");

const known = knownMetrics();
const alerts = new Set(rulesOf("alerts").map(({ alert }) => alert!));

test("dashboards: the files match what the builders produce", () => {
  const pages = Object.keys(DASHBOARDS);
  assert.deepEqual(readdirSync(FOLDER).sort(), pages.map((page) => `${page}.json`).sort());
  for (const [page, dashboard] of Object.entries(DASHBOARDS)) {
    const text = readFileSync(new URL(`${page}.json`, FOLDER), "utf8");
    assert.equal(
      text,
      dashboardJson(dashboard),
      `${page}.json: run node --import tsx deploy/grafana/src/write.ts`,
    );
  }
});

// The schema is Grafana's, too large to be kept here: it lies in a folder beside the repository, where there is one.
test("dashboards: follow Grafana's schema, which finds a misspelt field", {
  skip: existsSync(SCHEMA) ? false : "needs ../shared/schemas",
}, () => {
  const schema = JSON.parse(readFileSync(SCHEMA, "utf8"));
  // What may be anything, the schema calls an object; in these two places Grafana has strings and lists.
  schema.definitions.MatcherConfig.properties.options = {};
  schema.definitions.DynamicConfigValue.properties.value = {};
  const isValid = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  for (const [page, dashboard] of Object.entries(DASHBOARDS)) {
    const text = dashboardJson(dashboard);
    assert.ok(isValid(JSON.parse(text)), `${page}: ${JSON.stringify(isValid.errors, null, 2)}`);
    for (const [field, misspelt] of MISSPELT) {
      const wrong = text.replace(field, misspelt);
      assert.notEqual(wrong, text);
      assert.ok(!isValid(JSON.parse(wrong)), `${page}: ${misspelt} was let through`);
    }
  }
});

const MISSPELT = [
  ['"unit":', '"units":'],
  ['"gridPos":', '"gridpos":'],
  ['"includeVars":', '"includeVariables":'],
  ['"refresh": 2', '"refresh": "2"'],
] as const;

test("dashboards: promtool parses every panel's query, types included", async () => {
  const check = async (exprs: readonly string[]) =>
    await inFolder(async (folder) => {
      const path = join(folder, "panels.yml");
      const rules = exprs.map((expr, i) => ({ record: `panel:query:${i}`, expr }));
      writeFileSync(path, stringify({ groups: [{ name: "panels", rules }] }));
      execFileSync(toolPath("promtool"), ["check", "rules", path], { stdio: "pipe" });
    });
  const exprs = panelQueries({ sweep: "s" }).map(({ expr }) => expr);
  assert.ok(exprs.length > 60, `only ${exprs.length} queries`);
  await check(exprs);
  await assert.rejects(check([...exprs, "rate(ftle_worker_busy_seconds_total)"]));
});

test("dashboards: pass the lint", () => {
  for (const [page, dashboard] of Object.entries(DASHBOARDS)) {
    assert.deepEqual(faultsOf(dashboard, { known, alerts }), [], page);
  }
});

test("dashboards: every metric of ours is on a panel, itself or in what is recorded of it", () => {
  const asked = new Set(panelQueries({ sweep: "s" }).flatMap(({ expr }) => [...metricsIn(expr)]));
  for (const { record, expr } of rulesOf("recording")) {
    if (asked.has(record!)) for (const metric of metricsIn(expr)) asked.add(metric);
  }
  const unseen = [...exportedMetrics().keys()].filter(
    (name) => name.startsWith("ftle_") && !asked.has(name) && !/_(sum|count)$/.test(name),
  );
  // The time at which a coordinator began decides which of two is asked, in a rule of alerts.
  assert.deepEqual(unseen, ["ftle_sweep_start_timestamp_seconds"]);
});

const query = (panel: Panel) => panel.targets![0] as Dataquery;
const MISTAKES: Readonly<Record<string, [RegExp, (dashboard: Dashboard, panel: Panel) => void]>> = {
  "a metric that is not exported": [
    /no such metric: ftle_sweep_stat$/,
    (_, panel) => {
      query(panel).expr = "ftle_sweep_stat";
    },
  ],
  "a label that a metric does not have": [
    /no label worker: ftle_sweep_tasks/,
    (_, panel) => {
      query(panel).expr = 'ftle_sweep_tasks{worker="a"}';
    },
  ],
  "a grouping by a label that is not there": [
    /no label kind/,
    (_, panel) => {
      query(panel).expr = "sum by (kind) (ftle_sweep_state)";
    },
  ],
  "a state that does not exist": [
    /never has state="finished"/,
    (_, panel) => {
      query(panel).expr = 'max by (state) (ftle_sweep_state{state=~"running|finished"})';
    },
  ],
  "a bare counter": [
    /counter outside rate or increase: ftle_worker_points_total/,
    (_, panel) => {
      query(panel).expr = "max by (engine) (ftle_worker_points_total)";
    },
  ],
  "the rate of a gauge": [
    /no counter, but in rate: ftle_workers_threads/,
    (_, panel) => {
      query(panel).expr = "rate(ftle_workers_threads[$__rate_interval])";
    },
  ],
  "a fixed range": [
    /a fixed range: \[5m\]/,
    (_, panel) => {
      query(panel).expr = "sum(rate(ftle_worker_points_total[5m]))";
    },
  ],
  "a legend of a label that was summed away": [
    /no label \{\{sweep\}\} in the answer/,
    (_, panel) => {
      query(panel).legendFormat = "{{sweep}}";
    },
  ],
  "an empty query": [
    /an empty query/,
    (_, panel) => {
      query(panel).expr = " ";
    },
  ],
  "no queries": [
    /no queries/,
    (_, panel) => {
      panel.targets = [];
    },
  ],
  "no unit": [
    /no unit/,
    (_, panel) => {
      delete panel.fieldConfig!.defaults.unit;
    },
  ],
  "no title": [
    /no title/,
    (_, panel) => {
      panel.title = "";
    },
  ],
  "no description": [
    /no description/,
    (_, panel) => {
      delete panel.description;
    },
  ],
  "a data source of its own": [
    /not the data source of the variable/,
    (_, panel) => {
      panel.datasource = { type: "prometheus", uid: "mine" };
    },
  ],
  "a runbook that is not there": [
    /no runbook/,
    (_, panel) => {
      panel.links![0]!.url = panel.links![0]!.url!.replace("Ftle", "Other");
    },
  ],
  "one id twice": [
    /two panels have one id/,
    (_, panel) => {
      panel.id = 9;
    },
  ],
  "one place twice": [
    /lies over State/,
    (_, panel) => {
      panel.gridPos!.x += 1;
    },
  ],
  "a panel beyond the columns": [
    /outside of the columns/,
    (_, panel) => {
      panel.gridPos!.w = 25;
    },
  ],
  "a page that may be edited": [
    /editable/,
    (dashboard) => {
      dashboard.editable = true;
    },
  ],
  "a page without uid": [
    /no uid/,
    (dashboard) => {
      delete dashboard.uid;
    },
  ],
  "a link that forgets the time": [
    /a link forgets/,
    (dashboard) => {
      dashboard.links![0]!.keepTime = false;
    },
  ],
  "a missing variable": [
    /no variable instance/,
    (dashboard) => {
      dashboard.templating!.list!.pop();
    },
  ],
};

for (const [name, [said, make]] of Object.entries(MISTAKES)) {
  test(`dashboards: the lint finds ${name}`, () => {
    const dashboard = JSON.parse(dashboardJson(DASHBOARDS.sweep)) as Dashboard;
    make(dashboard, panelsOf(dashboard)[0]!);
    const faults = faultsOf(dashboard, { known, alerts });
    assert.ok(
      faults.some((fault) => said.test(fault)),
      `expected ${said}, got ${JSON.stringify(faults)}`,
    );
  });
}

test("dashboards: an unknown variable is refused", () => {
  assert.equal(withValues('a{sweep="$sweep"}[$__range]', { sweep: "s" }), 'a{sweep="s"}[1h]');
  assert.throws(() => withValues('up{job="$cluster"}', { sweep: "s" }), /got \$cluster/);
});
