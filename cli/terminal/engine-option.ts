import { Option } from "commander";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import { engines } from "../../worker/engines/registry.ts";

/** The engine that a new sweep is computed with, above what its spec says. */
export function engineOption(): Option {
  return new Option(
    "--engine <name>",
    "what does the arithmetic, instead of what the spec says",
  ).choices(["auto", ...Object.keys(engines)]);
}

export interface EngineFlag {
  readonly engine?: Sweep["engine"];
}

export function withEngine<T extends { readonly sweep: Sweep }>(
  read: T,
  { engine }: EngineFlag,
): T {
  return engine === undefined ? read : { ...read, sweep: { ...read.sweep, engine } };
}
