/**
 * What becomes of a run whose terminal hangs up (SIGHUP). It ends in good order, unless it was begun so
 * as to outlive that: under `nohup`, or away from any terminal.
 *
 * Whoever begins a program says so by having it ignore the signal. Node takes that back before it runs a
 * line of ours (`PlatformInit` in its src/node.cc), and tells nobody; so it has to be guessed from what
 * `nohup` leaves behind.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isatty } from "node:tty";

export interface HangUpSigns {
  /** Whether standard input, output and error are terminals. */
  readonly terminals: readonly boolean[];
  /** What the shell started, as bash, ksh and zsh put it into the variable `_`. */
  readonly command: string | undefined;
  /** The process that started this one ignores the signal, as its children then do. */
  readonly isIgnoredAbove: boolean;
}

/**
 * `nohup` leaves no stream on a terminal that it may take away. So there is none with every `nohup` that
 * also takes standard input; and without one, there is nothing whose end could concern us.
 */
export function outlivesHangUp({ terminals, command, isIgnoredAbove }: HangUpSigns): boolean {
  return !terminals.includes(true) || basename(command ?? "") === "nohup" || isIgnoredAbove;
}

/** Has this process ignore the signal, if it was begun so. */
export function heedNohup(environment: NodeJS.ProcessEnv): void {
  const terminals = [0, 1, 2].map((descriptor) => isatty(descriptor));
  const isIgnoredAbove = ignoresHangUp(process.ppid);
  if (outlivesHangUp({ terminals, command: environment._, isIgnoredAbove })) {
    process.on("SIGHUP", ignore);
  }
}

/** The signals that end a command in good order. */
export function stopSignals(): NodeJS.Signals[] {
  const isIgnored = process.listeners("SIGHUP").includes(ignore);
  return isIgnored ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}

function ignore(): void {}

/** Where the kernel does not tell, no. */
function ignoresHangUp(pid: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n; // proc_pid_status(5): bit 0 is signal 1
  } catch {
    return false; // no /proc, or the process has ended
  }
}
