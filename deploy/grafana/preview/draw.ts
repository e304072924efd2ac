/**
 * Pictures of the dashboards with a Prometheus' answers: `npm run preview:dashboards -- --prometheus URL --sweep NAME`,
 * or `-- --live`, which first runs a sweep with three workers, a broker and a Prometheus of its own. Needs Chromium.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import type { Page } from "../src/layout.ts";
import { live } from "./live.ts";
import type { Answer, Ask, ClassicPanel } from "./panels.ts";
import { panelFor } from "./panels.ts";

const { values: flags } = parseArgs({
  options: {
    prometheus: { type: "string", default: "http://127.0.0.1:9090" },
    sweep: { type: "string", default: ".*" },
    minutes: { type: "string", default: "10" },
    out: {
      type: "string",
      default: fileURLToPath(new URL("../../../docs/images", import.meta.url)),
    },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    live: { type: "boolean", default: false },
  },
});

const PAGES: readonly Page[] = ["sweep", "workers", "broker"];
const WIDTH = 1600;

let emptyPanels = 0;
if (flags.live) await live((url) => drawAll(url, { sweep: "live", seconds: 300 }));
else await drawAll(flags.prometheus, { sweep: flags.sweep, seconds: 60 * Number(flags.minutes) });
if (emptyPanels > 0) process.exitCode = 1;

async function drawAll(
  prometheus: string,
  show: { sweep: string; seconds: number },
): Promise<void> {
  const end = Date.now() / 1000;
  const start = end - show.seconds;
  const step = Math.max(1, Math.round(show.seconds / 200));
  const ask: Ask = async ({ expr, isInstant }) => {
    const range = { start: String(start), end: String(end), step: String(step) };
    const body = new URLSearchParams({
      query: expr,
      ...(isInstant ? { time: String(end) } : range),
    });
    const path = isInstant ? "query" : "query_range";
    const response = await fetch(`${prometheus}/api/v1/${path}`, { method: "POST", body });
    const { status, error, data } = (await response.json()) as Reply;
    if (status !== "success") throw new Error(`${error}: ${expr}`);
    return data.result.map(({ metric, value, values }) => ({ metric, values: values ?? [value!] }));
  };
  const rateInterval = `${Math.max(10, 4 * step)}s`;
  const variables = { sweep: show.sweep, rateInterval, range: `${show.seconds}s` };
  for (const page of PAGES) {
    const path = new URL(`../dashboards/${page}.json`, import.meta.url);
    const { title, panels } = JSON.parse(await readFile(path, "utf8")) as Dashboard;
    const drawn = await Promise.all(panels.map((panel) => panelFor(panel, variables, ask)));
    for (const panel of drawn.filter(({ isEmpty }) => isEmpty)) {
      emptyPanels++;
      process.stderr.write(`no data: ${title} · ${panel.title}\n`);
    }
    const file = join(flags.out, `dashboard-${page}.png`);
    await shoot(await pageWith(title, drawn), file);
    process.stdout.write(`${file}\n`);
  }
}

interface Reply {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Answer["metric"];
      readonly value?: Answer["values"][number];
      readonly values?: Answer["values"];
    }[];
  };
}

interface Dashboard {
  readonly title: string;
  readonly panels: readonly ClassicPanel[];
}

async function pageWith(title: string, panels: readonly object[]): Promise<string> {
  const here = (name: string) => readFile(new URL(name, import.meta.url), "utf8");
  const uplot = "../../../node_modules/uplot/dist/";
  const [script, style, own, ownStyle] = await Promise.all([
    here(`${uplot}uPlot.iife.min.js`),
    here(`${uplot}uPlot.min.css`),
    here("page.js"),
    here("page.css"),
  ]);
  const data = JSON.stringify(panels).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><style>${style}${ownStyle}</style>
<header><b>${title}</b> Preview drawn with uPlot from Prometheus' answers; not Grafana. Times are UTC.</header><div id="grid"></div>
<script>${script}</script><script>const PANELS = ${data};</script><script>${own}</script>`;
}

async function shoot(html: string, file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-preview-"));
  const browser = await chromium.launch({
    executablePath: flags.chromium,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
  try {
    const path = join(folder, "page.html");
    await writeFile(path, html);
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } });
    page.on("pageerror", (error) => process.stderr.write(`${error.stack}\n`));
    await page.goto(pathToFileURL(path).href);
    await page.waitForSelector("body[data-drawn=yes]");
    await page.screenshot({ path: file, fullPage: true });
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}
