import type { Command } from "commander";
import { stateCommand } from "../sweeps/at-broker.ts";

export function pauseCommand(): Command {
  return stateCommand("pause", "paused");
}
