import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CATALOGUE, loadCommand } from "../catalogue.ts";
import { inFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";
import { runWithFailures } from "./support/run-with-failures.ts";
import { examine } from "./support/stored.ts";

const SPEC = `
axes: {width: [4, 6], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 2, batch: 10}
field: {points: 32, tile: 16}
`;

describe("outcome", { concurrency: 2 }, () => {
  const networks = {
    tanh: "activation: tanh",
    "relu with linear output": "activation: relu, outputActivation: linear",
  };
  for (const [name, network] of Object.entries(networks)) {
    test(`outcome: a learning rate of 100 makes every network diverge, which is a result (${name})`, async () => {
      await inFolder(async (folder) => {
        const spec = join(folder, "spec.yaml");
        const directory = join(folder, "out");
        const wild = SPEC.replace("epochs: 2", "epochs: 2, learningRate: 100");
        await writeFile(spec, `${wild}network: {${network}}\n`);
        const run = await ftle("run", spec, "--out", directory, "--json");
        assert.equal(run.code, 0, run.stderr);
        const { totals, tasksRun, figures } = JSON.parse(run.stdout);
        assert.deepEqual(totals.cells, { missing: 0, trained: 0, diverged: 2, dead: 0 });
        assert.equal(tasksRun, 2);
        const svg = await readFile(
          figures.find((path: string) => path.endsWith(".svg")),
          "utf8",
        );
        assert.match(svg, />diverged at epoch \d</);
        const status = await ftle("status", directory);
        assert.match(status.stdout, /state +complete/);
        assert.equal(status.stdout.match(/^ +diverged [0-9a-f]{16} .*: the loss /gm)?.length, 2);
        assert.deepEqual((await examine(directory)).damaged, []);
      });
    });
  }

  test("outcome: a sweep with tasks given up exits with 3 and names them, and retry runs them", async () => {
    await inFolder(async (folder) => {
      const spec = join(folder, "spec.yaml");
      const directory = join(folder, "out");
      await writeFile(spec, SPEC);
      await runWithFailures(spec, directory);

      const resumed = await ftle("resume", directory, "--no-plot", "--json");
      assert.equal(resumed.code, 3);
      const { tasksRun, totals } = JSON.parse(resumed.stdout);
      assert.equal(tasksRun, 0);
      assert.equal(totals.deadLetters, 2);
      const status = await ftle("status", directory);
      assert.match(status.stdout, /1 trained, 0 diverged, 0 missing, 1 given up/);
      const line = /^ +given up (train|field)-\S+ after 2 attempts: .*a fault of the engine/gm;
      assert.deepEqual([...status.stdout.matchAll(line)].map(([, kind]) => kind).sort(), [
        "field",
        "train",
      ]);
      assert.match(status.stdout, new RegExp(`ftle retry ${directory}`));

      const retried = await ftle("retry", directory, "--no-plot", "--json");
      assert.equal(retried.code, 0);
      // The tile; the training, and the four tiles that waited for it.
      assert.equal(JSON.parse(retried.stdout).tasksRun, 1 + 1 + 4);
      assert.equal(JSON.parse(retried.stdout).totals.deadLetters, 0);
      assert.equal((await examine(directory)).tasks.size, 10);
    });
  });

  test("outcome: a mistake on the command line or in the spec ends with 2 and no stack", async () => {
    await inFolder(async (folder) => {
      const spec = join(folder, "spec.yaml");
      const bad = join(folder, "bad.yaml");
      await writeFile(spec, SPEC);
      await writeFile(bad, SPEC.replace("depth: 2", "depht: 2"));
      const wrong: [RegExp, ...string[]][] = [
        [/unknown command/, "rum", spec],
        [/unknown option/, "run", spec, "--colour"],
        [/depht/, "run", bad, "--out", join(folder, "out")],
        [/no such file/, "run", join(folder, "none.yaml")],
        [/no sweep\.json in it/, "status", folder],
        [/no sweep\.json in it/, "plan", spec, "--against", folder],
        [/expected a broker: --nats/, "status"],
        [/expected a broker: --nats/, "worker"],
        [/--keep is for sweeps at a broker/, "run", spec, "--keep"],
        [/--threads is each worker's own/, "run", spec, "--nats", "nats://x:1", "--threads", "2"],
        [/expected a URL such as nats:/, "nats", "setup", "--nats", "http://x"],
        [/expected a sweep that runs in/, "cancel", folder],
      ];
      await inTurn(wrong, async ([message, ...args]) => {
        const { code, stdout, stderr } = await ftle(...args);
        assert.deepEqual([code, stdout], [2, ""], args.join(" "));
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /\n\s+at /);
      });
    });
  });

  test("outcome: --json prints JSON and nothing else", async () => {
    await inFolder(async (folder) => {
      const spec = join(folder, "spec.yaml");
      const out = join(folder, "out");
      await writeFile(spec, SPEC);
      await runHere(spec, out);
      // Of run, resume, retry and plan other tests read the JSON.
      const commands = [
        ["status", out],
        ["plot", out, "--format", "svg"],
        ["export", out, "--format", "csv", "--out", join(folder, "cells.csv")],
        ["why", out, "width=4"],
        ["verify", out, "--sample", "10%"],
        ["doctor"],
      ];
      await inTurn(commands, async (args) => {
        const { code, stdout, stderr } = await ftle(...args, "--json");
        assert.equal(code, 0, stderr);
        assert.equal(typeof JSON.parse(stdout), "object");
      });
    });
  });

  test("outcome: the help lists every command, and each has examples in its own", async () => {
    const { stdout } = await ftle("--help");
    const listed = stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm);
    assert.deepEqual(
      Array.from(listed, ([, name]) => name),
      CATALOGUE.map(({ name }) => name),
    );
    for (const entry of CATALOGUE) {
      const { name } = entry;
      const command = await loadCommand(entry);
      assert.equal(command.name(), name);
      const usage = command.registeredArguments.map((argument) => {
        return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
      });
      assert.equal(usage.join(" "), entry.arguments);
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      assert.match(help, new RegExp(`^Examples:\n {2}\\$ ftle ${name}\\b`, "m"));
      assert.match(help, /--json/);
    }
  });
});

/** One after the other: tests beside this one keep the other core busy. */
async function inTurn<T>(items: readonly T[], body: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await body(item);
}
