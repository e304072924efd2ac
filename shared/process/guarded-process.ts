import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** A process with a folder of its own, neither of which can outlive us. */
export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when it has ended, however; alone it does not keep us running. */
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
  /** Does nothing when the process is gone. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when it is gone, at once if it is already. */
  kill(): Promise<void>;
  /** Kills what still runs and leaves the folder: for another process that guards it by now. */
  release(): Promise<void>;
  /** Kills what still runs and removes the folder. */
  remove(): Promise<void>;
}

export interface GuardOptions {
  /** Removed when we are gone. */
  readonly folder: string;
  /** What the process prints is added to this file. */
  readonly log: string;
}

/**
 * Our end of its standard input closes when this process ends, whatever the reason; then the guard
 * kills the command and removes the folder. Descriptor 3 tells the command's pid, and ends with it:
 * only the command has it open from there on. `gone` spares a stranger who has the same pid by now.
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
    detached: true, // a session of its own, without the terminal
  });
  closeSync(output);
  const orders = guard.stdin as Writable & Refable;
  const news = guard.stdio[3] as Readable & Refable;
  for (const socket of [orders, news]) socket.on("error", () => {}); // its close is what counts
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
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // gone, we hear it soon
    }
  };
  const noteGone = async () => {
    await gone;
    isGone = true;
    orders.write("gone ");
  };
  const mendGuard = async () => {
    await ended;
    if (!isGone) send("SIGKILL"); // it is nobody's any more
  };
  void noteGone();
  void mendGuard();
  for (const held of [guard, orders, news]) held.unref();

  async function end(lastOrder: "" | "keep"): Promise<void> {
    for (const awaited of [guard, news]) awaited.ref(); // whichever is heard last
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

/** What keeps this process running, or not. */
interface Refable {
  ref(): unknown;
  unref(): unknown;
}
