/**
 * The errors that a caller can do something about. Anything else (`TypeError`, `RangeError`, …) is a
 * programming fault: never turned into a result, always shown with its stack.
 */
export abstract class FtleError extends Error {
  abstract override readonly name: string;
  /** The program's exit code when the error is not handled (design §8). */
  readonly exitCode: number = 1;
}

/** The command line asks for something that cannot be done as requested. */
export class UsageError extends FtleError {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}

/** A task that no worker can ever compute: malformed, of another version, of an unknown engine or data set. */
export class InvalidTaskError extends FtleError {
  override readonly name = "InvalidTaskError";
}

/** A task ran longer than allowed and was stopped. */
export class TaskTimeoutError extends FtleError {
  override readonly name = "TaskTimeoutError";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`stopped after ${timeoutMs / 1000} s, the longest a task may take`);
    this.timeoutMs = timeoutMs;
  }
}

/** The store cannot be read or written: disk full, no permission, not a store. */
export class StoreError extends FtleError {
  override readonly name = "StoreError";
  readonly path: string;

  constructor(message: string, options: { path: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.path = options.path;
  }
}

/** The broker cannot be reached, refuses us, or is not one that we can use. */
export class BrokerError extends FtleError {
  override readonly name = "BrokerError";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** The broker has lost its streams, and with them its state of the sweep; the store has all of it. */
export class BrokerResetError extends FtleError {
  override readonly name = "BrokerResetError";
}

/** A user cancelled the sweep on the broker. */
export class CancelledError extends FtleError {
  override readonly name = "CancelledError";
  /** Not that of an interruption: a supervisor that restarts interrupted runs must not restart this one. */
  override readonly exitCode = 4;

  constructor(sweep: string) {
    super(`sweep ${sweep} was cancelled; what is stored stays, and ftle resume continues it`);
  }
}

/** Another coordinator holds the store, or the sweep. */
export class LockedError extends FtleError {
  override readonly name = "LockedError";
  readonly owner: string;

  constructor(directory: string, owner: string) {
    super(`${directory} is in use by ${owner}; wait for it, or stop it and run the command again`);
    this.owner = owner;
  }
}

/** What remains of an error that was sent from a thread or over the network, where classes are lost. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

export function errorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  return { name: error.name, message: error.message, stack: error.stack };
}
