import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export type ToolName =
  | "promtool"
  | "prometheus"
  | "amtool"
  | "alertmanager"
  | "docker-compose"
  | "kustomize";

/** Path of a tool that the tests need: of PATH, or got now. @throws if it cannot be had; the script says how it can. */
export function toolPath(name: ToolName): string {
  const script = fileURLToPath(new URL("get-tools.sh", import.meta.url));
  return execFileSync("bash", [script, name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  }).trim();
}
