import { createRequire } from "node:module";

/**
 * Loads modules of the program when they are needed, as `import()` does, but opens one file at a time. `import()` opens
 * all imports of a level at once: zod alone has 50 locales, so with few file descriptors (`ulimit -n 64`) the loader of
 * Node 20 fails with EMFILE. Sources are loaded by `import()`, because tsx compiles them for it.
 *
 * @param importer `import.meta.url` of the module that loads.
 * @returns a function of a path relative to that module, with the extension `.ts` as in any import.
 */
export function moduleLoader(importer: string) {
  const isSource = importer.endsWith(".ts");
  const require = createRequire(importer);
  return async <Module>(path: `./${string}.ts` | `../${string}.ts`): Promise<Module> => {
    if (isSource) return await import(new URL(path, importer).href);
    const built = path.replace(/\.ts$/, ".js");
    try {
      return require(built);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
      // Vega awaits at its top level. By now all files are read, and `import()` opens none.
      return await import(new URL(built, importer).href);
    }
  };
}
