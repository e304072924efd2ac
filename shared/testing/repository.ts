/** Files of the repository, for tests that run from the sources or from the build in `dist/`. */
import { extname } from "node:path";

const IS_BUILD = extname(import.meta.url) === ".js";
const ROOT = new URL(IS_BUILD ? "../../../" : "../../", import.meta.url);

/** A file or folder by its path from the root of the repository. */
export function repositoryFile(path: string): URL {
  return new URL(path, ROOT);
}

/**
 * A module that runs in a process or thread of its own: source or build, as the tests are.
 * @param path from the root of the repository, without its extension.
 */
export function moduleFile(path: string): URL {
  return repositoryFile(IS_BUILD ? `dist/${path}.js` : `${path}.ts`);
}

/** What Node needs to run such a module. */
export const LOADER: readonly string[] = IS_BUILD ? [] : ["--import", "tsx"];
