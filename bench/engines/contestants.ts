/** Who takes part: the machine's own limit, our engines, and the peers. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineName } from "../../worker/engines/registry.ts";
import { createEngine, engines, resolveEngine } from "../../worker/engines/registry.ts";
import type { Case } from "./cases.ts";
import type { Command } from "./contestant.ts";
import { peersPython } from "./machine.ts";

/** Multiply-adds in registers; its units are flops. */
export const PEAK = "FMA peak";

export interface Entry extends Command {
  /** Whether it takes part in a case. */
  readonly takes: (given: Case, options: { quick: boolean }) => boolean;
}

/** The peak first, then our engines, then the peers if they are set up. */
export function entries(folder: string): Entry[] {
  return [...peakEntries(folder), ...Object.keys(engines).map(engineEntry), ...peerEntries()];
}

/** Why an engine cannot be used, or null. */
export function engineProblem(name: string): string | null {
  if (!Object.hasOwn(engines, name)) return `there are ${Object.keys(engines).join(", ")}`;
  try {
    createEngine(resolveEngine(name as EngineName));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A Node process that runs one of our files from source. */
export function nodeCommand(file: string, ...args: string[]): Command["command"] {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return [process.execPath, "--import", "tsx", path, ...args];
}

export function engineEntry(name: string): Entry {
  return { name, command: nodeCommand("./engine-child.ts", name), takes: () => true };
}

function peakEntries(folder: string): Entry[] {
  const source = fileURLToPath(new URL("../fma-peak.c", import.meta.url));
  const program = join(folder, "fma-peak");
  const flags = ["-std=gnu11", "-O3", "-march=native", "-ffp-contract=fast"];
  try {
    execFileSync("cc", [...flags, "-o", program, source]);
  } catch (error) {
    console.error(
      `no FMA peak, and so no shares of it: ${(error as Error).message.split("\n")[0]}`,
    );
    return [];
  }
  return [{ name: PEAK, command: [program], takes: () => true }];
}

function peerEntries(): Entry[] {
  const python = peersPython();
  if (python === null) return [];
  const peer = (
    name: string,
    [file, ...args]: [string, ...string[]],
    takes: Entry["takes"],
  ): Entry => {
    const path = fileURLToPath(new URL(`../peers/${file}`, import.meta.url));
    return { name, command: [python, "-W", "ignore", path, ...args], takes };
  };
  const isField: Entry["takes"] = (given) => given.peers && given.kind === "field";
  // As written, a field of N = 200 needs 42 GB with JAX and takes minutes with PyTorch.
  const fits: Entry["takes"] = (given, options) =>
    isField(given, options) && given.network.hidden[0]! < 200;
  const isTraining: Entry["takes"] = (given) => given.peers && given.kind === "training";
  // Sixteen networks of N = 250 take a minute per epoch and show nothing new.
  const isNarrow: Entry["takes"] = (given, options) =>
    isTraining(given, options) && given.network.hidden[0]! < 200;
  const unlessQuick =
    (takes: Entry["takes"]): Entry["takes"] =>
    (given, options) =>
      takes(given, options) && !options.quick;
  return [
    peer("JAX expert", ["jax_fields.py", "expert"], isField),
    peer("JAX expert, all arrays", ["jax_fields.py", "expert-all"], unlessQuick(isField)),
    peer("JAX closed form", ["jax_fields.py", "closed-form"], unlessQuick(fits)),
    peer("JAX as written", ["jax_fields.py", "as-written"], fits),
    peer("PyTorch expert", ["torch_fields.py", "expert"], unlessQuick(isField)),
    peer("PyTorch as written", ["torch_fields.py", "as-written"], fits),
    peer("JAX scan", ["jax_training.py", "scan"], isTraining),
    peer("JAX 16 seeds", ["jax_training.py", "seeds"], unlessQuick(isNarrow)),
    peer("PyTorch eager", ["torch_training.py"], isTraining),
  ];
}
