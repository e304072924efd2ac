/** A batch system signals each process of a job, and wrappers pass it on: so soon it is the same signal. */
const SAME_MS = 300;

/** Tells whether a signal is another one than the first: somebody is in a hurry. */
export function secondSignal(): (name: string) => boolean {
  let first: { name: string; at: number } | null = null;
  return (name) => {
    const now = performance.now();
    first ??= { name, at: now };
    return name !== first.name || now - first.at > SAME_MS;
  };
}
