/** Loads the thread one file at a time: see `module-loader.ts`. */
import { moduleLoader } from "../../../shared/module-loader.ts";

await moduleLoader(import.meta.url)("./thread.ts");
