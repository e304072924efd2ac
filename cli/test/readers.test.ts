import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";
import { examine } from "./support/stored.ts";

/** Six networks, and a line about each. */
const WILD = `
axes: {width: [2, 4, 6], depth: [1, 2]}
data: {name: circle, samples: 100}
training: {epochs: 2, batch: 10, learningRate: 100}
field: none
`;

/** Trains for minutes. */
const LONG = `
axes: {width: 200, depth: 4}
data: {name: circle, samples: 100}
training: {epochs: 2000, batch: 20}
field: none
engine: reference
`;

type Stream = "pipe" | "ignore" | number;

const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill("SIGKILL"); // of a test that failed
});

function start(args: readonly string[], [stdout, stderr]: readonly [Stream, Stream]): ChildProcess {
  const program = [...LOADER, fileURLToPath(moduleFile("cli/main")), ...args];
  const child = spawn(process.execPath, program, { stdio: ["ignore", stdout, stderr] });
  started.push(child);
  return child;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  return child.exitCode ?? (await once(child, "exit"))[0];
}

/** A disk that is always full. */
const FULL = "/dev/full";
const isFullHere = existsSync(FULL) ? false : `no ${FULL} here`;

async function withRun(
  spec: string,
  body: (rig: { directory: string; run: string[] }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const file = join(folder, "spec.yaml");
    const directory = join(folder, "out");
    await writeFile(file, spec);
    await body({
      directory,
      run: ["run", file, "--out", directory, "--no-plot", "--threads", "1"],
    });
  });
}

describe("readers", { concurrency: 2 }, () => {
  test("readers: a run goes on to its end when no one reads its messages any more", async () => {
    await withRun(WILD, async ({ directory, run }) => {
      const child = start(run, ["ignore", "pipe"]);
      await once(child.stderr!, "data");
      child.stderr!.destroy();
      assert.equal(await exitCode(child), 0);
      assert.equal((await examine(directory)).tasks.size, 6);
      assert.equal(await lockOwner(directory), null);
    });
  });

  test("readers: Ctrl-C ends a run with 130 when it has ended the reader, too", async () => {
    await withRun(LONG, async ({ directory, run }) => {
      const child = start(run, ["ignore", "pipe"]);
      await once(child.stderr!, "data"); // it has started
      child.stderr!.destroy();
      child.kill("SIGINT");
      assert.equal(await exitCode(child), 130);
      assert.equal(await lockOwner(directory), null);
    });
  });

  test("readers: a full disk behind its messages does not end a run", {
    skip: isFullHere,
  }, async () => {
    await withRun(WILD, async ({ directory, run }) => {
      assert.equal(await exitCode(start(run, ["ignore", openSync(FULL, "w")])), 0);
      assert.equal((await examine(directory)).tasks.size, 6);
    });
  });

  test("readers: a reader that stops early leaves the exit code as it is", async () => {
    await withRun(WILD, async ({ directory, run }) => {
      const file = run[1]!;
      await runHere(file, directory);
      await writeFile(join(directory, "summary.csv"), "");
      for (const [code, ...args] of [
        [1, "verify", directory],
        [0, "status", directory],
        [0, ...run],
      ] as const) {
        const child = start(args, ["pipe", "pipe"]);
        let said = "";
        child.stderr!.on("data", (text) => {
          said += text;
        });
        child.stdout!.destroy();
        assert.equal(await exitCode(child), code, args[0]);
        assert.doesNotMatch(said, /EPIPE|\n\s+at /);
      }
    });
  });

  test("readers: a result that cannot be written is a fault, reported in one line", {
    skip: isFullHere,
  }, async () => {
    await withRun(WILD, async ({ directory, run }) => {
      await runHere(run[1]!, directory);
      const child = start(["status", directory], [openSync(FULL, "w"), "pipe"]);
      const [said] = await once(child.stderr!.setEncoding("utf8"), "data");
      assert.match(said, /^ftle: cannot write the result to standard output: ENOSPC.*\n$/);
      assert.equal(await exitCode(child), 1);
    });
  });

  test("readers: a worker whose output no one reads drains at SIGTERM and exits with 0", async () => {
    const server = await startNatsServer();
    try {
      const child = start(["worker", "--nats", server.url, "--threads", "1"], ["ignore", "pipe"]);
      await once(child.stderr!, "data"); // it is at the broker
      child.stderr!.destroy();
      child.kill("SIGTERM");
      assert.equal(await exitCode(child), 0);
    } finally {
      await server.stop();
    }
  });

  test("readers: the help may be read in part", async () => {
    assert.equal((await ftle("--help")).code, 0);
    const child = start(["run", "--help"], ["pipe", "ignore"]);
    child.stdout!.destroy();
    assert.equal(await exitCode(child), 0);
  });
});
