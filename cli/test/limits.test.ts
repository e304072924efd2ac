import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { filesIn } from "./support/stored.ts";

const SPEC = `
axes: {width: 4, depth: [2, 3]}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: {points: 16, layers: all}
`;

test("run: a folder with other files is refused, and nothing in it is touched", async () => {
  await inFolder(async (folder) => {
    await mkdir(join(folder, "tmp"));
    await writeFile(join(folder, "tmp", "thesis.txt"), "mine");
    await writeFile(join(folder, "spec.yaml"), SPEC);
    const { code, stderr } = await ftle("run", join(folder, "spec.yaml"), "--out", folder);
    assert.equal(code, 2);
    assert.match(stderr, /expected .* to be empty, new, or the directory of a sweep/);
    assert.deepEqual(await filesIn(folder), ["spec.yaml", "tmp/thesis.txt"]);
  });
});

test("plot and verify: a layer that does not exist is reported, and so is a missing chunk", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    await writeFile(join(folder, "spec.yaml"), SPEC);
    assert.equal((await ftle("run", join(folder, "spec.yaml"), "--out", out, "--no-plot")).code, 0);
    const plot = await ftle("plot", out, "--layer", "3", "--format", "svg", "--json");
    const [figure] = JSON.parse(plot.stdout).figures;
    assert.match(figure, /layer-3/);
    assert.match(await readFile(figure, "utf8"), />no layer 3</);
    const none = await ftle("plot", out, "--lines", "lambda1Mean", "--only", "width=99");
    assert.equal(none.code, 2);
    assert.match(none.stderr, /expected width to be one of 4; got 99/);
    assert.equal((await ftle("verify", out, "--sample", "100%")).code, 0);
    const chunk = (await filesIn(out)).find((path) => path.includes("lambda1/c."))!;
    await rm(join(out, chunk));
    const { code, stdout } = await ftle("verify", out);
    assert.equal(code, 1);
    assert.match(stdout, /^gone +1 tile of cells\//m);
  });
});
