import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** A process with its own folder; both are removed when this process ends. */
export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when it has ended for any reason; does not keep this process running. */
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
  /** Does nothing when the process has ended. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended, at once if it has already. */
  kill(): Promise<void>;
  /** Kills it if it still runs and keeps the folder, which another guarded process now uses. */
  release(): Promise<void>;
  /** Kills it if it still runs and removes the folder. */
  remove(): Promise<void>;
}

export interface GuardOptions {
  /** Removed when this process ends. */
  readonly folder: string;
  /** The process's output is appended to this file. */
  readonly log: string;
}

/**
 * A shell script that guards the command. Our end of its standard input closes when this process ends
 * for any reason; the guard then kills the command and removes the folder. The command's pid is written to
 * descriptor 3, which only the command keeps open, so that its end is the command's end. After `gone` the guard
 * kills nothing: another process may have the same pid by then.
 */
const GUARD = `
folder=$1; shift
"$@" </dev/null &
pid=$!
trap '' HUP INT TERM
echo $pid >&3
exec 3>&- >/dev/null 2>&1
told=$(cat)
case $told in *gone*) ;; *) kill -9 $pid ;; esac
wait $pid
case $told in *keep*) ;; *) rm -rf -- "$folder" ;; esac
`;

/**
 * Starts a process that ends when this one ends, by kill -9 too, and its folder with it. Signals from
 * the terminal, such as Ctrl-C, do not reach it. Needs a POSIX shell.
 */
export async function spawnGuarded(
  command: string,
  args: readonly string[],
  { folder, log }: GuardOptions,
): Promise<GuardedProcess> {
  const output = openSync(log, "a", 0o600);
  const guard = spawn("sh", ["-c", GUARD, "guard", folder, command, ...args], {
    stdio: ["pipe", output, output, "pipe"],
    detached: true, // its own session, without the terminal
  });
  closeSync(output);
  const orders = guard.stdin as Writable & Refable;
  const news = guard.stdio[3] as Readable & Refable;
  for (const socket of [orders, news]) socket.on("error", () => {}); // only its close counts
  const gone = new Promise<void>((resolve) => news.once("close", () => resolve()));
  const ended = new Promise<void>((resolve) => guard.once("exit", () => resolve()));
  const pid = await new Promise<number>((resolve, reject) => {
    guard.once("error", reject);
    news.once("data", (line: Buffer) => resolve(Number(line)));
    news.once("close", () => reject(new Error(`the guard of ${command} could not start it`)));
  });

  let isGone = false;
  const send = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended: `news` closes soon
    }
  };
  const noteGone = async () => {
    await gone;
    isGone = true;
    orders.write("gone ");
  };
  const mendGuard = async () => {
    await ended;
    if (!isGone) send("SIGKILL"); // the guard has ended, so nothing else would kill it
  };
  void noteGone();
  void mendGuard();
  for (const held of [guard, orders, news]) held.unref();

  async function end(lastOrder: "" | "keep"): Promise<void> {
    for (const awaited of [guard, news]) awaited.ref(); // keeps this process running until both have ended
    orders.end(lastOrder);
    await Promise.all([ended, gone]);
  }
  return {
    pid,
    gone,
    isGone: () => isGone,
    signal(name) {
      if (!isGone) send(name);
    },
    async kill() {
      news.ref();
      if (!isGone) send("SIGKILL");
      await gone;
    },
    release: () => end("keep"),
    remove: () => end(""),
  };
}

/** A handle that can keep this process running. */
interface Refable {
  ref(): unknown;
  unref(): unknown;
}
