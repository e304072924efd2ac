/** Processes that take part in a measurement, and what they cost, from Linux's /proc. */
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A process that runs commands, one at a time. It ends when its standard input does. */
export interface Child {
  readonly pid: number;
  ask<Answer>(name: string, given: object): Promise<Answer>;
  stop(): Promise<void>;
}

export function startChild(script: string): Child {
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {}); // it has died: the next answer reports that
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid!,
    async ask(name, given) {
      child.stdin.write(`${JSON.stringify([name, given])}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script} has ended`);
      const answer = JSON.parse(value);
      if ("error" in answer) throw new Error(`${script}: ${answer.error}`);
      return answer;
    },
    async stop() {
      child.stdin.end();
      await ended(child);
    },
  };
}

/** The other side of `startChild`: handlers by name. */
export async function serve(
  handlers: Record<string, (given: never) => Promise<object>>,
): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, given] = JSON.parse(line);
    const answer = await handlers[name]!(given as never).catch((error) => ({
      error: String(error),
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit();
}

export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/**
 * A file of the build, by its path in the source without the ending.
 * @throws Error if it is missing, or older than the source.
 */
export function built(path: string): string {
  const file = join(ROOT, "dist", `${path}.js`);
  if (!existsSync(file)) throw new Error(`dist/ has no ${path}.js: npm run build`);
  const made = statSync(file).mtimeMs;
  for (const folder of ["cli", "coordinator", "shared", "worker", "bench/broker"]) {
    for (const source of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      if (!source.endsWith(".ts") || /test|peers/.test(source)) continue;
      if (statSync(join(ROOT, folder, source)).mtimeMs > made) {
        throw new Error(`dist/ is older than ${folder}/${source}: npm run build`);
      }
    }
  }
  return file;
}

/** The unit of proc_pid_stat(5): 100 per second on every Linux that we know. */
const TICKS = Number(firstLine("getconf", ["CLK_TCK"])) || 100;

/** User and system time of a process so far, all threads; null if it has ended. */
export function cpuSeconds(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // the third is the first here
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return null;
  }
}

/** A process's peak resident memory, in MB (10⁶ bytes). */
export function peakMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024) / 1e6;
}

/** What a program prints first; empty if there is no such program. */
export function firstLine(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8" }).split("\n")[0]!.trim();
  } catch {
    return "";
  }
}
