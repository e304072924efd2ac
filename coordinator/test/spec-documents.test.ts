import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { analysesReference } from "../spec/analyses-document.ts";
import { readSweep } from "../spec/read-sweep.ts";
import { type JsonSchema, jsonSchema, specReference } from "../spec/schema-documents.ts";

const root = repositoryFile("");
const STALE = "run `node --import tsx coordinator/spec/write-schema.ts && npm run fix`";

test("spec schema: docs/spec.schema.json is that of the code", async () => {
  const committed = await readFile(new URL("docs/spec.schema.json", root), "utf8");
  assert.deepEqual(JSON.parse(committed), JSON.parse(JSON.stringify(jsonSchema())), STALE);
});

test("spec schema: docs/spec.md is that of the code", async () => {
  assert.equal(await readFile(new URL("docs/spec.md", root), "utf8"), specReference(), STALE);
});

test("analyses: docs/analyses.md is that of the code", async () => {
  const page = await readFile(new URL("docs/analyses.md", root), "utf8");
  assert.equal(page, analysesReference(), STALE);
});

test("spec schema: every map is closed, every key is described, every optional one has a default or describes it", () => {
  for (const { properties, additionalProperties, required = [] } of mapsIn(jsonSchema())) {
    assert.equal(additionalProperties, false);
    for (const [key, member] of Object.entries(properties ?? {})) {
      assert.ok(member.description || member.const, `${key} has no description`);
      const isExplained =
        member.default !== undefined || /Default: |In place|required/.test(member.description!);
      assert.ok(required.includes(key) || isExplained, `${key} has no default`);
    }
  }
});

const examples = await readdir(new URL("examples/", root));
for (const name of examples.filter((one) => one.endsWith(".yaml"))) {
  test(`spec example: ${name} is a sweep of the same name, and states its cost`, async () => {
    const file = fileURLToPath(new URL(`examples/${name}`, root));
    const { text, sweep } = await readSweep(file);
    assert.equal(`${sweep.name}.yaml`, name);
    assert.match(text, /^# .*\n(# .*\n)*# Cost: /);
    assert.match(text, /^# yaml-language-server: \$schema=\.\.\/docs\/spec\.schema\.json$/m);
  });
}

type ClosedMap = JsonSchema & { readonly additionalProperties?: boolean };

/** Every schema of a map, however deep. */
function mapsIn(schema: unknown): ClosedMap[] {
  if (typeof schema !== "object" || schema === null) return [];
  const inner = Object.values(schema).flatMap(mapsIn);
  return "properties" in schema && "type" in schema ? [schema as ClosedMap, ...inner] : inner;
}
