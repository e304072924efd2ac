import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path/posix";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";

/** Areas of the source, and the others from which a file in each may import. `lint` must refuse all else. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "shared/numerics": [],
  shared: ["shared/numerics"],
  "shared/datasets": ["shared", "shared/numerics"],
  "shared/analyses": ["shared", "shared/numerics", "shared/datasets"],
  "shared/process": ["shared"],
  "shared/transport": ["shared"],
  "shared/transport/nats": ["shared", "shared/process", "shared/transport"],
  "shared/metrics": ["shared", "shared/transport", "shared/transport/nats"],
  "coordinator/data": everythingIn("shared"),
  "coordinator/networks": ["coordinator/data", ...everythingIn("shared")],
  "coordinator/spec": ["coordinator/data", "coordinator/networks", ...everythingIn("shared")],
  "coordinator/plan": ["coordinator/spec", ...everythingIn("shared")],
  "coordinator/store": ["coordinator/spec", "coordinator/plan", ...everythingIn("shared")],
  "coordinator/run": [
    ...["coordinator/spec", "coordinator/plan", "coordinator/store", "coordinator/run/beside"],
    ...everythingIn("shared"),
  ],
  "coordinator/run/beside": [
    ...["coordinator/plan", "coordinator/store", "coordinator/run"],
    ...everythingIn("shared"),
  ],
  "coordinator/results": [
    ...["coordinator/spec", "coordinator/plan", "coordinator/store"],
    ...["coordinator/results/figures", "coordinator/results/export"],
    ...everythingIn("shared"),
  ],
  "coordinator/results/figures": everythingIn("shared"),
  "coordinator/results/export": [
    ...["coordinator/spec", "coordinator/plan", "coordinator/store", "coordinator/results"],
    ...everythingIn("shared"),
  ],
  "coordinator/metrics": [
    ...["coordinator/plan", "coordinator/store", "coordinator/run"],
    ...everythingIn("shared"),
  ],
  "worker/engines": ["worker/engines/tfjs", "shared", "shared/numerics"],
  "worker/engines/tfjs": ["worker/engines", "shared", "shared/numerics"],
  "worker/tasks": [
    ...["worker/engines", "worker/engines/tfjs"],
    ...everythingIn("shared").filter((area) => !area.startsWith("shared/transport")),
  ],
  "cli/completion": [],
  "worker/loop": ["worker/tasks", ...everythingIn("shared")],
  "worker/metrics": ["worker/loop", ...everythingIn("shared")],
  "cli/terminal": outsideOf("cli"),
  "cli/metrics": ["cli/terminal", ...outsideOf("cli")],
  "cli/places": ["cli/terminal", "cli/metrics", ...outsideOf("cli")],
  "cli/sweeps": ["cli/terminal", "cli/metrics", "cli/places", ...outsideOf("cli")],
};

/** Areas that may use everything beside and below them, and that nothing there may use. */
const TOPS = ["worker", "cli", "cli/commands"];

function everythingIn(top: string): string[] {
  const areas = [
    "numerics",
    "datasets",
    "analyses",
    "process",
    "transport",
    "transport/nats",
    "metrics",
  ];
  return [top, ...areas.map((area) => `${top}/${area}`)];
}

function outsideOf(top: string): string[] {
  const areas = [
    ...[
      "data",
      "networks",
      "spec",
      "plan",
      "store",
      "run",
      "run/beside",
      "results",
      "results/figures",
      "results/export",
      "metrics",
    ],
  ];
  const coordinator = areas.map((area) => `coordinator/${area}`);
  const worker = [
    ...["worker", "worker/engines", "worker/engines/tfjs", "worker/tasks"],
    ...["worker/loop", "worker/metrics"],
  ];
  return [...coordinator, ...worker, ...everythingIn("shared")].filter(
    (area) => !area.startsWith(top),
  );
}

const ROOT = fileURLToPath(repositoryFile(""));
const AREAS = [...Object.keys(ARROWS), ...TOPS];

/** One file per area, with an import from each of the other areas: a line each, in the order of `others`. */
function probe(area: string, others: readonly string[]): string {
  const lines = others.map((other, i) => {
    const path = relative(area, other) || ".";
    return `import { a as a${i} } from "${path.startsWith(".") ? path : `./${path}`}/b.ts";`;
  });
  return `${lines.join("\n")}\nexport const all = [${others.map((_, i) => `a${i}`).join()}];\n`;
}

test("lint: an import is refused exactly if no arrow leads from its area to the other", async () => {
  await inFolder(async (folder) => {
    for (const file of ["biome.json", "biome.arrows.json"]) {
      await cp(join(ROOT, file), join(folder, file));
    }
    const othersOf = (area: string) => AREAS.filter((other) => other !== area);
    for (const area of AREAS) {
      const path = join(folder, area, "probe.ts");
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, probe(area, othersOf(area)));
    }
    const refused = await refusedLines(folder);
    for (const [area, allowed] of Object.entries(ARROWS)) {
      const found = othersOf(area).filter((_, i) => !refused.has(`${area}/probe.ts:${i + 1}`));
      assert.deepEqual(found.sort(), [...allowed].sort(), `what ${area} may import`);
    }
    assert.ok(refused.has(`worker/probe.ts:${othersOf("worker").indexOf("coordinator/run") + 1}`));
  });
});

/** `path:line` of each import that lint refuses. */
async function refusedLines(folder: string): Promise<Set<string>> {
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const args = ["lint", "--only=style/noRestrictedImports", "--reporter=github"];
  const said = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [biome, ...args, "--max-diagnostics=none", "."],
      { cwd: folder, maxBuffer: 2 ** 24 },
      (_, stdout) => resolve(stdout), // it ends with 1: there are refusals
    );
  });
  const found = said.matchAll(/file=([^,]+),line=(\d+)/g);
  const paths = Array.from(found, ([, path, line]) => `${relative(folder, path!)}:${line}`);
  return new Set(paths);
}
