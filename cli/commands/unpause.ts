import type { Command } from "commander";
import { stateCommand } from "../sweeps/at-broker.ts";

export function unpauseCommand(): Command {
  return stateCommand("unpause", "running");
}
