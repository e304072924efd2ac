import type { Command } from "commander";
import type { CheckResult } from "../../shared/numerics/exact-checks.ts";
import { exactChecks } from "../../shared/numerics/exact-checks.ts";
import { VERSION } from "../../shared/version.ts";
import { fieldWork, trainingWork } from "../../shared/work.ts";
import type { LoadedEngine } from "../../worker/engines/registry.ts";
import { engines, resolveEngine } from "../../worker/engines/registry.ts";
import { MEASURED_NETWORK, measureRates } from "../../worker/rates.ts";
import { defaultThreads } from "../../worker/thread-count.ts";
import { command } from "../terminal/command.ts";
import { integer } from "../terminal/format.ts";
import { createOutput } from "../terminal/output.ts";

export function doctorCommand(): Command {
  return command("doctor", ["doctor", "doctor --json"]).action(
    (flags: { json?: boolean; quiet?: boolean }) => {
      const output = createOutput(flags);
      const examined = Object.entries(engines).map(([name, engine]) => examine(name, engine));
      const chosen = resolveEngine("auto");
      const threads = defaultThreads();
      const { platform, arch, version: node } = process;
      const lines = [
        `ftle ${VERSION}, Node ${node.slice(1)}, ${platform} ${arch}, ${threads} threads by default`,
        ...examined.flatMap(linesOf),
        `engine auto is ${chosen}`,
      ];
      const isSound = examined.every(({ checks }) => checks.every(({ ok }) => ok));
      lines.push(isSound ? "All checks pass." : "Do not trust results from this machine.");
      output.result(lines.join("\n"), {
        version: VERSION,
        node,
        platform,
        arch,
        threads,
        auto: chosen,
        engines: examined,
        ok: isSound,
      });
      if (!isSound) process.exitCode = 1;
    },
  );
}

interface Examined {
  readonly name: string;
  readonly id: string;
  /** Why it is not here; null if it is. */
  readonly missing: string | null;
  readonly details: Readonly<Record<string, string>>;
  readonly rates: { readonly train: number; readonly field: number } | null;
  readonly checks: readonly (CheckResult & { readonly name: string; readonly source: string })[];
}

function examine(name: string, { id, load }: { id: string; load(): LoadedEngine }): Examined {
  const loaded = load();
  if ("missing" in loaded) {
    return { name, id, missing: loaded.missing, details: {}, rates: null, checks: [] };
  }
  const { engine } = loaded;
  const checks = exactChecks.map((check) => {
    return { name: check.name, source: check.source, ...check.run(engine) };
  });
  const { details = {} } = engine;
  return { name, id, missing: null, details, rates: measureRates(id), checks };
}

function linesOf({ name, id, missing, details, rates, checks }: Examined): string[] {
  if (rates === null) return [`engine ${name} (${id}) is not here: ${missing}`];
  const with_ = Object.entries(details).map(([key, value]) => `, ${key} ${value}`);
  return [
    `engine ${name} (${id}${with_.join("")}): ${speeds(rates)}`,
    ...checks.map(
      ({ ok, name, measured, expected, tolerance }) =>
        `  ${ok ? "ok    " : "WRONG "} ${name}: ${short(measured)}, exactly ${short(expected)} (± ${tolerance.toPrecision(1)})`,
    ),
  ];
}

/** What one thread does in a second with a network of usual size. */
function speeds(rates: { readonly train: number; readonly field: number }): string {
  const { hidden } = MEASURED_NETWORK;
  const samples = rates.train / trainingWork(MEASURED_NETWORK, 1, { train: 1, test: 0 });
  const points = rates.field / fieldWork(MEASURED_NETWORK, 1);
  return `one thread trains a network of ${hidden[0]} × ${hidden.length} on ${thousands(samples)} samples per second, and computes ${thousands(points)} points of its field per second`;
}

function thousands(value: number): string {
  return integer(Number((value / 1e3).toPrecision(3)) * 1e3);
}

function short(value: number): string {
  return String(Number(value.toPrecision(7)));
}
