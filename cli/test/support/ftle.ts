/** The program as a process of its own. */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { LOADER, moduleFile } from "../../../shared/testing/repository.ts";

export interface Ending {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  /** What it has said on standard error so far. */
  stderr(): string;
  /** Settles when the process is gone and all that it said has been read. */
  readonly ended: Promise<Ending>;
  kill(signal: NodeJS.Signals): void;
}

const MAIN = fileURLToPath(moduleFile("cli/main"));

export function spawnFtle(...args: string[]): Running {
  return spawnWith({}, args);
}

function spawnWith(env: Readonly<Record<string, string>>, args: readonly string[]): Running {
  const child = spawn(process.execPath, [...LOADER, MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const ended = new Promise<Ending>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...said }));
  });
  return {
    pid: child.pid!,
    ended,
    stderr: () => said.stderr,
    kill(signal) {
      child.kill(signal);
    },
  };
}

/** Runs the program to its end. */
export async function ftle(...args: string[]): Promise<Ending> {
  return await spawnFtle(...args).ended;
}

/** Runs it with these variables in its environment. */
export async function ftleWith(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Ending> {
  return await spawnWith(env, args).ended;
}
