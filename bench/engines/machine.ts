/** Where it was measured. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** The Python of the peers, or null if they were not set up. */
export function peersPython(): string | null {
  const path = fileURLToPath(new URL("../peers/.venv/bin/python", import.meta.url));
  return existsSync(path) ? path : null;
}

/** Cores to which Linux's `taskset` pins processes; none where it is missing: then they are not pinned. */
export interface Pinned {
  readonly one: readonly number[];
  readonly two: readonly number[];
}

/** The last core of those that this process may use, and with it the first. */
export function pinnedCores(): Pinned {
  try {
    const list = execFileSync("taskset", ["-cp", String(process.pid)], { encoding: "utf8" });
    const cores = coresOf(list.slice(list.lastIndexOf(":") + 1).trim());
    const [first, last] = [cores[0]!, cores.at(-1)!];
    return { one: [last], two: first === last ? [last] : [first, last] };
  } catch {
    return { one: [], two: [] };
  }
}

/** `0-2,5` → 0, 1, 2, 5. */
function coresOf(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [from, to = from] = range.split("-").map(Number);
    return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
  });
}

/** The head of a report: when, how and on what. */
export function describeRun(
  { one, two }: Pinned,
  { rounds, ms }: { rounds: number; ms: number },
): string {
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  const cores = one.length === 0 ? "free (no `taskset`)" : `pinned to core ${one}, or ${two}`;
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return [
    "# The engines, measured",
    "",
    `- ${date} UTC, ${rounds} rounds, turns of at least ${ms} ms; a median is that of the rounds' own ratios`,
    `- ${processor()}, ${availableParallelism()} cores, ${memory} GiB; processes ${cores}`,
    `- Node ${process.versions.node}, ${firstLine("cc", ["--version"])}`,
    `- Peers: ${peersVersions()}`,
  ].join("\n");
}

/** Its name, with family and model where Linux says them. */
export function processor(): string {
  return `${cpus()[0]?.model.trim()}${familyAndModel()}`;
}

function familyAndModel(): string {
  if (!existsSync("/proc/cpuinfo")) return "";
  const text = readFileSync("/proc/cpuinfo", "utf8");
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1];
  return ` (family ${field("cpu family")}, model ${field("model")})`;
}

function peersVersions(): string {
  const python = peersPython();
  if (python === null) return "not set up (`npm run bench:peers`)";
  const program =
    "import sys, importlib.metadata as m; print('Python', sys.version.split()[0], *(f', {p} {m.version(p)}' for p in ('jax', 'torch', 'numpy')), sep=' ')";
  return firstLine(python, ["-c", program]).replaceAll(" ,", ",");
}

function firstLine(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8" }).split("\n")[0]!;
  } catch {
    return `no ${program}`;
  }
}
