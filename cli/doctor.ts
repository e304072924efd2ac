import type { Command } from "commander";
import { exactChecks } from "../shared/numerics/exact-checks.ts";
import { VERSION } from "../shared/version.ts";
import { createEngine, engines } from "../worker/engines/registry.ts";
import { measureRates } from "../worker/rates.ts";
import { defaultThreads } from "../worker/thread-count.ts";
import { command } from "./options.ts";
import { createOutput } from "./output.ts";

export function doctorCommand(): Command {
  return command(
    "doctor",
    "check this machine's arithmetic against exact results, and measure its speed",
    ["doctor", "doctor --json"],
  ).action((flags: { json?: boolean; quiet?: boolean }) => {
    const output = createOutput(flags);
    const examined = Object.entries(engines).map(([name, { id }]) => examine(name, id));
    const threads = defaultThreads();
    const { platform, arch, version: node } = process;
    const lines = [
      `ftle ${VERSION}, Node ${node.slice(1)}, ${platform} ${arch}, ${threads} threads by default`,
      ...examined.flatMap(({ name, id, rates, checks }) => [
        `engine ${name} (${id}): trains at ${giga(rates.train)}, fields at ${giga(rates.field)} a thread`,
        ...checks.map(
          ({ ok, name, measured, expected, tolerance }) =>
            `  ${ok ? "ok    " : "WRONG "} ${name}: ${short(measured)}, exactly ${short(expected)} (± ${tolerance.toPrecision(1)})`,
        ),
      ]),
    ];
    const isSound = examined.every(({ checks }) => checks.every(({ ok }) => ok));
    lines.push(isSound ? "All checks pass." : "Do not trust results from this machine.");
    output.result(lines.join("\n"), {
      version: VERSION,
      node,
      platform,
      arch,
      threads,
      engines: examined,
      ok: isSound,
    });
    if (!isSound) process.exitCode = 1;
  });
}

function examine(name: string, id: string) {
  const engine = createEngine(id);
  const checks = exactChecks.map((check) => {
    return { name: check.name, source: check.source, ...check.run(engine) };
  });
  return { name, id, rates: measureRates(id), checks };
}

function giga(rate: number): string {
  return `${(rate / 1e9).toFixed(2)} GFLOP/s`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(7)));
}
