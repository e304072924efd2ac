/** Ours, by what they begin with. */
const OURS = "FTLE_";

/**
 * Takes away our variables that are empty. Compose files, batch scripts and `FTLE_NATS= ftle …` set them
 * so where they mean none; whoever reads one afterwards need not know of it, nor our own workers.
 */
export function dropEmptyVariables(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith(OURS) && value === "") delete environment[name];
  }
}
