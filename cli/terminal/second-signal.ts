/** A batch system signals each process of a job, and wrappers pass it on: within this time it is the same signal. */
const SAME_MS = 300;

/** Whether a signal is a new one rather than a copy of the first: the user is in a hurry. */
export function secondSignal(): (name: string) => boolean {
  let first: { name: string; at: number } | null = null;
  return (name) => {
    const now = performance.now();
    first ??= { name, at: now };
    return name !== first.name || now - first.at > SAME_MS;
  };
}
