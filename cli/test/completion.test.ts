import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";

/** A line as it is typed, up to the Tab, and what must be offered. */
const OFFERED: readonly (readonly [string, readonly string[]])[] = [
  ["ftle pla", ["plan"]],
  ["ftle nats ", ["setup"]],
  ["ftle run --engine ", ["auto", "native", "reference", "tfjs"]],
  ["ftle run --engine na", ["native"]],
  ["ftle run ", ["empty/", "spec.yaml", "sweeps/"]],
  ["ftle run --threads 2 sp", ["spec.yaml"]],
  ["ftle status ", ["sweeps/"]],
  ["ftle status sweeps/", ["sweeps/a/"]],
  ["ftle why sweeps/a ", ["N004-x", "N005-y"]],
  ["ftle completion ", ["bash", "fish", "zsh"]],
  ["ftle export --form", ["--format"]],
];

interface Shell {
  readonly name: string;
  /** The candidates, a trailing slash or not, given the line. */
  complete(script: string, line: string): string[];
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    complete(script, line) {
      // Outside a real completion there is no `compopt`: it only says how a folder's name ends.
      const body = `
        compopt() { :; }
        source "$1"
        COMP_WORDS=($2); [[ $2 != *' ' ]] || COMP_WORDS+=('')
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _ftle
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      return printed("bash", ["--norc", "-c", body, "bash", script, line]).split("\n");
    },
  },
  {
    name: "zsh",
    complete(script, line) {
      const capture = fileURLToPath(repositoryFile("cli/test/support/capture.zsh"));
      const shown = printed("zsh", ["-f", capture, script, line]);
      return /<<(.*)>>/.exec(shown)![1]!.split(" ");
    },
  },
  {
    name: "fish",
    complete(script, line) {
      const body = "source $argv[1]; complete -C $argv[2]";
      const lines = printed("fish", ["--no-config", "-c", body, script, line]).split("\n");
      return lines.map((candidate) => candidate.split("\t")[0]!);
    },
  },
];

let folder = "";

function printed(program: string, words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(status, 0, `${program}: ${error?.message ?? ""}${stderr}`);
  assert.equal(stderr, "");
  return stdout;
}

function skipIfAbsent(t: TestContext, name: string): boolean {
  if (spawnSync(name, ["-c", ":"]).error === undefined) return false;
  // CI installs all three.
  assert.equal(process.env.CI, undefined, `${name} is not there: apt-get install ${name}`);
  t.skip(`there is no ${name} here`);
  return true;
}

for (const { name, complete } of SHELLS) {
  test(`completion: ${name} offers commands, options, engines, specs, sweeps and cells`, async (t) => {
    if (skipIfAbsent(t, name)) return;
    await inFolder(async (place) => {
      folder = place;
      for (const cell of ["N004-x", "N005-y"]) {
        await mkdir(join(folder, "sweeps/a/cells", cell), { recursive: true });
        await writeFile(join(folder, "sweeps/a/cells", cell, "cell.json"), "{}");
      }
      await writeFile(join(folder, "sweeps/a/sweep.json"), "{}");
      await mkdir(join(folder, "empty"));
      await writeFile(join(folder, "spec.yaml"), "");
      await writeFile(join(folder, "notes.txt"), "");
      const { stdout } = await ftle("completion", name);
      const script = join(folder, "script");
      await writeFile(script, stdout);
      for (const [line, offered] of OFFERED) {
        const found = complete(script, line).filter((candidate) => candidate !== "");
        const bare = found.map((candidate) => candidate.replace(/\/$/, "")).sort();
        assert.deepEqual(bare, offered.map((word) => word.replace(/\/$/, "")).sort(), line);
      }
    });
  });
}

test("completion: a shell without a script is a usage error", async () => {
  const { code, stderr } = await ftle("completion", "tcsh");
  assert.equal(code, 2);
  assert.match(stderr, /bash, zsh, fish/);
});
