import { createRequire } from "node:module";

/** Version of the program, as in `package.json`. The build is one folder deeper than the source. */
export const VERSION: string = packageVersion();

function packageVersion(): string {
  const require = createRequire(import.meta.url);
  const path = import.meta.url.endsWith(".ts") ? "../package.json" : "../../package.json";
  return (require(path) as { version: string }).version;
}
