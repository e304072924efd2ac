import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../../shared/testing/repository.ts";

export type ToolName =
  | "promtool"
  | "prometheus"
  | "amtool"
  | "alertmanager"
  | "docker-compose"
  | "kustomize";

/** Path of a tool that the tests need: of PATH, or got now. @throws if it cannot be had; the script says how it can. */
export function toolPath(name: ToolName): string {
  const script = fileURLToPath(repositoryFile("deploy/testing/get-tools.sh"));
  return execFileSync("bash", [script, name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  }).trim();
}

/** Why a test that needs a tool is left out; false if the tool is here. In CI it fails instead. */
export function withoutTool(name: ToolName): false | string {
  try {
    toolPath(name);
    return false;
  } catch (error) {
    if (process.env.CI) throw error;
    return `needs ${name}: deploy/testing/get-tools.sh says how to get it`;
  }
}
