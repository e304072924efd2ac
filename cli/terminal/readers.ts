import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/** The reader is gone: its end of the pipe is closed, or its terminal. */
const GONE = ["EPIPE", "ECONNRESET", "EIO"];

/**
 * Lets the program outlive the readers of its output. `ftle run 2>&1 | tee log` goes on without its
 * messages when `tee` is gone, or the disk behind it is full: its work is in the store. The exit code
 * stays what it would have been.
 */
export function outliveReaders(): void {
  process.stderr.on("error", () => {}); // no one is left to read it
  process.stdout.on("error", ({ code = "", message }: NodeJS.ErrnoException) => {
    if (GONE.includes(code)) return; // it had read enough: `ftle status DIR | head -1`
    process.stderr.write(`ftle: cannot write the result to standard output: ${message}\n`);
    process.exitCode ||= 1;
  });
  const terminals = STREAMS.filter((descriptor) => isatty(descriptor));
  process.on("exit", () => {
    // At its end Node sets each terminal back as it was, and aborts with 134 where that fails (`ResetStdio`
    // in its src/node.cc); a descriptor that is closed it leaves alone.
    for (const gone of terminals.filter((descriptor) => !isatty(descriptor))) closeSync(gone);
  });
}

const STREAMS = [0, 1, 2];
