/** What the three dashboards have in common: variables, links, and panels set in rows. */
import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import type { SizedPanel } from "./panels.ts";
import { DATASOURCE, RUNBOOKS } from "./panels.ts";

export const COLUMNS = 24;

export const PAGES = {
  sweep: { uid: "ftle-sweep", title: "ftle / Sweep" },
  workers: { uid: "ftle-workers", title: "ftle / Workers" },
  broker: { uid: "ftle-broker", title: "ftle / Broker" },
} as const;
export type Page = keyof typeof PAGES;

export type VariableName = "sweep" | "job" | "instance";

export interface Section {
  readonly title: string;
  readonly panels: readonly SizedPanel[];
}

export interface DashboardOptions {
  readonly page: Page;
  readonly description: string;
  /** The others are there, but hidden, so that links carry them to the next dashboard and back. */
  readonly variables: readonly VariableName[];
  readonly sections: readonly Section[];
}

export function dashboard(options: DashboardOptions): sdk.Dashboard {
  const { page, description, variables, sections } = options;
  const { uid, title } = PAGES[page];
  const builder = new sdk.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["ftle"])
    .readonly()
    .timezone("browser")
    .time({ from: "now-3h", to: "now" })
    .refresh("30s")
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .links(linksFrom(page))
    .variables([
      new sdk.DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"),
      ...(["sweep", "job", "instance"] as const).map((name) =>
        variable(name, page, variables.includes(name)),
      ),
    ]);
  let id = 0;
  let y = 0;
  for (const section of sections) {
    builder.withRow(
      new sdk.RowBuilder(section.title).id(++id).gridPos({ x: 0, y, w: COLUMNS, h: 1 }),
    );
    y++;
    let x = 0;
    let lowest = y;
    for (const { panel, width, height } of section.panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y = lowest;
      }
      panel.gridPos({ x, y, w: width, h: height });
      panel.id(++id);
      builder.withPanel(panel);
      x += width;
      lowest = Math.max(lowest, y + height);
    }
    y = lowest;
  }
  return builder.build();
}

function linksFrom(page: Page) {
  const others = (Object.keys(PAGES) as Page[]).filter((other) => other !== page);
  const links = [
    ...others.map((other) =>
      new sdk.DashboardLinkBuilder(PAGES[other].title)
        .type(sdk.DashboardLinkType.Link)
        .url(`/d/${PAGES[other].uid}`)
        .icon("dashboard")
        .includeVars(true)
        .keepTime(true),
    ),
    new sdk.DashboardLinkBuilder("Runbooks")
      .type(sdk.DashboardLinkType.Link)
      .url(RUNBOOKS)
      .icon("doc")
      .targetBlank(true),
  ];
  return links.map((link) => {
    const { placement: _, ...shown } = link.build(); // which hides it in a menu, unless left out
    return { build: () => shown };
  });
}

const QUERIES: Readonly<Record<VariableName, string>> = {
  sweep: "label_values(ftle_sweep_info, sweep)",
  job: "label_values(ftle_worker_info, job)",
  instance: 'label_values(ftle_worker_info{job=~"$job"}, instance)',
};
const LABELS = { sweep: "Sweep", job: "Job", instance: "Worker" } as const;

function variable(name: VariableName, page: Page, isShown: boolean) {
  const built = new sdk.QueryVariableBuilder(name)
    .label(LABELS[name])
    .datasource(DATASOURCE)
    .query(QUERIES[name])
    // Those that were there in the time shown, not only those that are there now.
    .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
    .sort(sdk.VariableSort.NaturalAsc)
    .hide(isShown ? sdk.VariableHide.DontHide : sdk.VariableHide.HideVariable);
  const isOne = name === "sweep" && page === "sweep";
  const all = { selected: true, text: ["All"], value: ["$__all"] };
  return isOne ? built : built.multi(true).includeAll(true).allValue(".*").current(all);
}
