/** Writes docs/spec.schema.json, docs/spec.md and docs/analyses.md; `npm run fix` then formats the first. */
import { writeFile } from "node:fs/promises";
import { analysesReference } from "./analyses-document.ts";
import { jsonSchema, specReference } from "./schema-documents.ts";

const docs = new URL("../../docs/", import.meta.url);
await writeFile(new URL("spec.schema.json", docs), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
await writeFile(new URL("spec.md", docs), specReference());
await writeFile(new URL("analyses.md", docs), analysesReference());
