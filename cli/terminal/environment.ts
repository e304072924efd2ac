/** How the names of our variables begin. */
const OURS = "FTLE_";

/**
 * Removes our variables that are empty. Compose files, batch scripts and `FTLE_NATS= ftle …` set a variable
 * to nothing where they mean none; afterwards neither our code nor our workers have to handle that.
 */
export function dropEmptyVariables(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith(OURS) && value === "") delete environment[name];
  }
}
