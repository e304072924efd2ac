import { FtleError } from "../../shared/errors.ts";
import { stopSignals } from "./hang-up.ts";
import { secondSignal } from "./second-signal.ts";

/** The user, or the system, asked the program to stop. */
export class InterruptedError extends FtleError {
  override readonly name = "InterruptedError";
  override readonly exitCode = 130;
}

/**
 * A signal that aborts at the first SIGINT, SIGTERM or, unless it is to be outlived, SIGHUP. A second one ends the program at once:
 * safe at any time, because the store's files appear whole or not at all.
 */
export function onInterrupt(message: string): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const isSecond = secondSignal();
  const handle = (name: string) => {
    if (isSecond(name)) process.exit(130);
    controller.abort(new InterruptedError(message));
  };
  const signals = stopSignals();
  for (const name of signals) process.on(name, handle);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of signals) process.off(name, handle);
    },
  };
}
