/** The thread was asked to stop and did. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}
