/** A peer's side of `processes.ts`: a line of JSON in, a line of JSON out; ends with standard input. */
import { createInterface } from "node:readline";

export async function serve(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, given] = JSON.parse(line);
    const answer = await handlers[name](given).catch((error) => ({ error: String(error) }));
    process.stdout.write(`${JSON.stringify(answer ?? {})}\n`);
  }
  process.exit();
}
