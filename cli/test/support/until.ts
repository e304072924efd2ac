import { setTimeout as pause } from "node:timers/promises";

/**
 * Looks again and again until a condition holds.
 * @throws Error naming the condition if it does not hold within the deadline.
 */
export async function until(
  condition: string,
  look: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await pause(20);
  }
}
