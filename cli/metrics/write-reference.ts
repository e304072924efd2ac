/** Writes docs/metrics.md. */
import { writeFile } from "node:fs/promises";
import { metricsReference } from "./reference.ts";

await writeFile(new URL("../../docs/metrics.md", import.meta.url), metricsReference());
