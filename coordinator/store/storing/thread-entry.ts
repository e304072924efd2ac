/** Loads the storing thread one file at a time: see `module-loader.ts`. It is not terminated before it has answered. */
import { moduleLoader } from "../../../shared/module-loader.ts";

await moduleLoader(import.meta.url)("./thread.ts");
