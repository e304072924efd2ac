import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SWEEP_YAML } from "../../coordinator/store/layout.ts";
import { sealJson, unsealJson } from "../../coordinator/store/sealed-json.ts";
import { judgeSweepText } from "../../coordinator/store/sweep-text.ts";
import { makeFolder, removeFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";

const SPEC = `# mine
name: base
axes: {width: [3, 4], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: none
engine: reference
`;

const EDITS = {
  extended: SPEC.replace("width: [3, 4]", "width: [3, 4, 5, 6]"),
  commented: `${SPEC}# and more\n`,
  shortened: SPEC.replace("engine: reference\n", ""),
  "made invalid": SPEC.replace("axes:", "achsen:"),
};

test("changed spec: damage is distinguished from an edit, and where it cannot be, the text is not lost", () => {
  const judge = (found: string | Buffer | null) => {
    const state = judgeSweepText(found === null ? null : Buffer.from(found), SPEC);
    return `${state.isDamaged ? "damaged" : ""}${state.isChanged ? "changed" : ""}`;
  };
  assert.equal(judge(SPEC), "");
  for (const edit of Object.values(EDITS)) assert.equal(judge(edit), "changed", edit);
  assert.equal(judge(SPEC.replaceAll("\n", "\r\n")), "changed");
  for (const damage of [null, "", SPEC.slice(0, -1), SPEC.slice(0, 60)]) {
    assert.equal(judge(damage), "damaged", String(damage));
  }
  assert.equal(judge(SPEC.replace("mine", "mina")), "damaged"); // nothing of the sweep
  assert.equal(judge(SPEC.replace("axes", "axus")), "damaged"); // no spec any more
  assert.equal(judge(SPEC.replace("epochs: 1", "epochs: 2")), "damagedchanged");
  assert.equal(judge(Buffer.from(SPEC).fill(0, 20, 60)), "damaged");
  assert.equal(judge(Buffer.from(SPEC).fill(0xff, 20, 60)), "damaged");
});

describe("changed spec", { concurrency: 2 }, () => {
  let folder: string;
  let whole: string;

  before(async () => {
    folder = await makeFolder();
    whole = join(folder, "whole");
    await writeFile(join(folder, "spec.yaml"), SPEC);
    await runHere(join(folder, "spec.yaml"), whole);
  });
  after(async () => {
    await removeFolder(folder);
  });

  async function edited(name: string, text: string): Promise<string> {
    const directory = join(folder, name.replaceAll(" ", "-"));
    await cp(whole, directory, { recursive: true, verbatimSymlinks: true });
    await writeFile(join(directory, SWEEP_YAML), text);
    return directory;
  }
  const textOf = (directory: string, name = SWEEP_YAML) => readFile(join(directory, name), "utf8");

  for (const [name, text] of Object.entries(EDITS)) {
    test(`changed spec: one that was ${name} is not damage, stays, and is reported`, async () => {
      const directory = await edited(name, text);
      const hint = `Run what was written there with: ftle run ${directory}/sweep.yaml --out ${directory}\n`;
      const verified = await ftle("verify", directory);
      assert.equal(verified.code, 0, verified.stdout);
      const { stdout } = await ftle("status", directory);
      const resumed = await ftle("resume", directory, "--no-plot");
      assert.equal(resumed.code, 0);
      assert.match(resumed.stdout, /^0 tasks run/);
      for (const said of [verified.stdout, stdout, resumed.stderr])
        assert.ok(said.includes(hint), said);
      for (const said of [stdout, resumed.stderr]) assert.doesNotMatch(said, /damaged/);
      assert.equal(await textOf(directory), text);
    });
  }

  test("changed spec: the printed command runs it, and afterwards nothing counts as changed", async () => {
    const directory = await edited("run", EDITS.extended);
    const spec = join(directory, SWEEP_YAML);
    const { code, stdout, stderr } = await ftle("run", spec, "--out", directory, "--no-plot");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^2 tasks run/);
    assert.doesNotMatch(stderr, /was changed/);
    assert.equal(JSON.parse((await ftle("status", directory, "--json")).stdout).isChanged, false);
    assert.equal(await textOf(directory), EDITS.extended);
  });

  test("changed spec: stays when only the program's version has changed", async () => {
    const directory = await edited("version", EDITS.extended);
    const json = join(directory, "sweep.json");
    const record = unsealJson(await readFile(json, "utf8"))!;
    await writeFile(json, sealJson({ ...record, version: "0.0.1" })); // by an earlier program
    const { code, stderr } = await ftle("resume", directory, "--no-plot");
    assert.equal(code, 0, stderr);
    assert.equal(await textOf(directory), EDITS.extended);
    assert.notEqual(unsealJson(await readFile(json, "utf8"))!.version, "0.0.1");
  });

  test("changed spec: is renamed and kept when another spec is run", async () => {
    const directory = await edited("other", EDITS["made invalid"]);
    const spec = join(folder, "other.yaml");
    await writeFile(spec, EDITS.extended);
    for (const [name, text] of [
      ["sweep.yaml.edited", EDITS["made invalid"]],
      ["sweep.yaml.edited-2", `${EDITS.extended}# once more\n`],
    ] as const) {
      await writeFile(join(directory, SWEEP_YAML), text);
      const from = name.endsWith("-2") ? join(folder, "spec.yaml") : spec;
      const { code, stderr } = await ftle("run", from, "--out", directory, "--no-plot");
      assert.equal(code, 0, stderr);
      assert.match(stderr, new RegExp(`ftle run ${directory}/${name} --out ${directory}\n`));
      assert.equal(await textOf(directory, name), text);
      assert.equal(await textOf(directory), await readFile(from, "utf8"));
    }
  });

  test("changed spec: a changed digit may be damage; the sweep's text is written again, the other kept", async () => {
    const text = SPEC.replace("epochs: 1", "epochs: 2");
    const directory = await edited("digit", text);
    const { stdout } = await ftle("status", directory);
    assert.match(stdout, /^damaged +sweep\.yaml$/m);
    assert.match(stdout, new RegExp(`with: ftle run ${directory}/sweep\\.yaml --out`));
    const resumed = await ftle("resume", directory, "--no-plot");
    assert.match(
      resumed.stderr,
      new RegExp(`with: ftle run ${directory}/sweep\\.yaml\\.edited --out`),
    );
    assert.equal(await textOf(directory), SPEC);
    assert.equal(await textOf(directory, "sweep.yaml.edited"), text);
  });
});
