import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { outlivesHangUp } from "../terminal/hang-up.ts";
import { inFolder } from "./support/folder.ts";
import { examine, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

const MANY_TASKS = `
axes: {width: [4, 6], depth: [2, 3], seed: {count: 10}}
data: {name: circle, samples: 4000}
training: {epochs: 20, batch: 20}
field: {points: 48, tile: 16}
`;
const TASKS = 40 * (1 + 9);

const PROGRAM = [process.execPath, ...LOADER, fileURLToPath(moduleFile("cli/main"))];

const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill("SIGKILL"); // of a test that failed
});

/** Starts a sweep by way of another program, and sends it SIGHUP when its first result is stored. */
async function hungUp(
  folder: string,
  command: (run: readonly string[]) => readonly [string, ...string[]],
): Promise<{ ended: Promise<number>; directory: string; child: ChildProcess }> {
  const spec = join(folder, "spec.yaml");
  const directory = join(folder, "out");
  await writeFile(spec, MANY_TASKS);
  const [name, ...args] = command([...PROGRAM, "run", spec, "--out", directory, "--no-plot"]);
  const child = spawn(name, args, { stdio: "pipe" });
  started.push(child);
  for (const stream of [child.stdout, child.stderr]) stream.resume();
  await until("a result is stored", async () => (await journalled(directory)).length > 0);
  const owner = await lockOwner(directory);
  process.kill(owner!.pid, "SIGHUP");
  return { ended: once(child, "exit").then(([code]) => code), directory, child };
}

/** Whether a program is here; else why its test is left out. */
function without(name: string): false | string {
  return spawnSync(name, ["--version"]).status === 0 ? false : `no ${name} here`;
}

const onTerminal = (command: string) => ["script", "-qefc", command, "/dev/null"] as const;

describe("hang-up", { concurrency: 2 }, () => {
  test("hang-up: is outlived by a run that has no terminal, was started with nohup, or inherits that", () => {
    const at = [true, true, true];
    const none = { command: "/usr/bin/ftle", isIgnoredAbove: false };
    assert.equal(outlivesHangUp({ ...none, terminals: at }), false);
    assert.equal(outlivesHangUp({ ...none, terminals: [true, false, false] }), false);
    assert.equal(outlivesHangUp({ ...none, terminals: [false, false, true] }), false);
    assert.equal(outlivesHangUp({ ...none, terminals: [false, false, false] }), true);
    assert.equal(outlivesHangUp({ ...none, terminals: at, command: undefined }), false);
    assert.equal(outlivesHangUp({ ...none, terminals: at, command: "/usr/bin/nohup" }), true);
    assert.equal(outlivesHangUp({ ...none, terminals: at, isIgnoredAbove: true }), true);
  });

  test("hang-up: a run under nohup goes on to its end", { skip: without("nohup") }, async () => {
    await inFolder(async (folder) => {
      const { ended, directory } = await hungUp(folder, (run) => ["nohup", ...run]);
      assert.equal(await ended, 0);
      assert.equal((await examine(directory)).tasks.size, TASKS);
    });
  });

  test("hang-up: a run at a terminal ends with 130 and can be resumed", {
    skip: without("script"),
  }, async () => {
    await inFolder(async (folder) => {
      const { ended, directory } = await hungUp(folder, (run) => [...onTerminal(run.join(" "))]);
      assert.equal(await ended, 130);
      const { damaged, tasks } = await examine(directory);
      assert.deepEqual(damaged, []);
      assert.ok(tasks.size < TASKS);
    });
  });

  test("hang-up: a run at a terminal whose shell ignores it goes on", {
    skip: without("script"),
  }, async () => {
    await inFolder(async (folder) => {
      const { ended, directory } = await hungUp(folder, (run) => [
        ...onTerminal(`trap '' HUP; ${run.join(" ")}; exit $?`),
      ]);
      assert.equal(await ended, 0);
      assert.equal((await examine(directory)).tasks.size, TASKS);
    });
  });

  test("hang-up: a run that outlives its terminal ends with its own exit code", {
    skip: without("script"),
  }, async () => {
    await inFolder(async (folder) => {
      const noted = join(folder, "exit-code");
      const { ended, directory, child } = await hungUp(folder, (run) => [
        ...onTerminal(`trap '' HUP; ${run.join(" ")}; echo $? >${noted}`),
      ]);
      child.kill("SIGKILL"); // it holds the other end of the terminal
      await ended;
      await until("the run has ended", () => existsSync(noted));
      await until("its exit code is noted", async () => (await readFile(noted, "utf8")) !== "");
      assert.equal(await readFile(noted, "utf8"), "0\n");
      assert.equal((await examine(directory)).tasks.size, TASKS);
    });
  });
});
