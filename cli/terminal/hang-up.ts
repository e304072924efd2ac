/**
 * What happens to a run whose terminal hangs up (SIGHUP). It ends in good order, unless it was started to
 * outlive that: under `nohup`, or without any terminal.
 *
 * A parent process asks for this by having the program ignore the signal. Node undoes that before it runs
 * our first line (`PlatformInit` in its src/node.cc), and does not report it; so it has to be guessed from
 * what `nohup` leaves behind.
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
 * `nohup` redirects every stream that is a terminal, in some versions except standard input. So a run of
 * which no stream is a terminal may be under `nohup`; and if it is not, no terminal's end concerns it.
 */
export function outlivesHangUp({ terminals, command, isIgnoredAbove }: HangUpSigns): boolean {
  return !terminals.includes(true) || basename(command ?? "") === "nohup" || isIgnoredAbove;
}

/** Has this process ignore the signal, if it was started to do so. */
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

/** False where the kernel does not say. */
function ignoresHangUp(pid: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n; // proc_pid_status(5): bit 0 is signal 1
  } catch {
    return false; // no /proc, or the process has ended
  }
}
