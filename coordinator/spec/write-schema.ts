/** Writes docs/spec.schema.json and docs/spec.md; `npm run fix` then formats the former. */
import { writeFile } from "node:fs/promises";
import { jsonSchema, specReference } from "./schema-documents.ts";

const docs = new URL("../../docs/", import.meta.url);
await writeFile(new URL("spec.schema.json", docs), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
await writeFile(new URL("spec.md", docs), specReference());
