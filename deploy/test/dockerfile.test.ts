import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { isIgnored } from "../testing/docker-ignore.ts";

const root = fileURLToPath(repositoryFile(""));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
const dockerfile = read("deploy/Dockerfile");
const ignore = read(".dockerignore");
const manifest = JSON.parse(read("package.json"));

test("Dockerfile: the image runs the program, as an ordinary user, and can be stopped", () => {
  assert.deepEqual(finalStageFaults(dockerfile), []);
});

test("Dockerfile: each weakening is found", () => {
  const slackenings: readonly [string, string, string][] = [
    ["USER 1000:1000", "USER node", "user is not a number"],
    ["USER 1000:1000", "USER 0:0", "user is not a number"],
    ["chown 1000:1000", "chown 1001:1001", "results belong to another user"],
    ["STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "no SIGTERM"],
    ['["ftle"]', "ftle", "the program is not process 1"],
    ["/opt/ftle/dist/cli/main.js /usr", "/opt/ftle/cli.js /usr", "another program"],
    ["&& mkdir /sweeps", "&& apt-get install gcc && mkdir /sweeps", "installs in the final stage"],
    ["node:24-bookworm-slim", "node:latest", "base image not pinned"],
    ["node:24-bookworm-slim", "node:18-bookworm-slim", "a Node that package.json refuses"],
    ["ARG NODE_IMAGE", "# syntax=docker/dockerfile:1\nARG NODE_IMAGE", "fetches a front end"],
    ["RUN npm ci --ignore-scripts", "RUN npm ci", "runs the scripts of dependencies"],
    [" && test -s prebuilds/linux-*/native.node", "", "may be without the native engine"],
    ["STOPSIGNAL", "ENV NPM_TOKEN=x\nSTOPSIGNAL", "a secret in the image"],
  ];
  for (const [right, wrong, fault] of slackenings) {
    assert.ok(dockerfile.includes(right), right);
    const found = finalStageFaults(dockerfile.replace(right, wrong));
    assert.ok(found.includes(fault), `${wrong}: ${found.join("; ")}`);
  }
});

test("Dockerfile: no keys, no history and nothing built here are in its context", () => {
  const secrets = [
    "deploy/nats/keys/worker.nk",
    "deploy/nats/keys/ca-key.pem",
    "deploy/nats/data/jetstream/x",
    "deploy/compose/.env",
    "deploy/kubernetes/overlays/demo/observer.nk",
    "cli/team.creds",
    ".git/config",
    ".npmrc",
    ".env",
    ".tools/prometheus",
    ".venv/bin/python",
    "node_modules/zod/package.json",
    "deploy/slurm/node_modules/x",
    "dist/cli/main.js",
    "prebuilds/linux-x64/native.node",
    "sweeps/quickstart/sweep.json",
  ];
  assert.deepEqual(
    secrets.filter((path) => !isIgnored(path, ignore)),
    [],
  );
  assert.ok(
    !isIgnored(
      "deploy/nats/keys/worker.nk",
      ignore.replace("deploy/nats/keys\n", "").replace("**/*.nk", ""),
    ),
  );
});

test("Dockerfile: all that the package is built from is in its context", () => {
  const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split(
    "\0",
  );
  const isSource = (path: string) =>
    /^(cli|coordinator|worker|shared|examples|deploy)\//.test(path) &&
    !/\/(test|testing|src)\//.test(path);
  const sources = tracked.filter(isSource);
  assert.ok(sources.length > 100);
  const wanted = [
    ...sources,
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "docs/spec.schema.json",
    "README.md",
    "LICENSE",
  ];
  assert.deepEqual(
    wanted.filter((path) => isIgnored(path, ignore)),
    [],
  );
});

/** Faults of a Dockerfile whose last stage is the image. */
function finalStageFaults(text: string): string[] {
  const stages = text.split(/^(?=FROM )/m);
  const final = stages.at(-1)!;
  const user = /^USER (.+)$/m.exec(final)?.[1] ?? "";
  const base = /^ARG NODE_IMAGE=(.+)$/m.exec(text)?.[1] ?? "";
  const least = Number(/\d+/.exec(manifest.engines.node)?.[0]);
  const program = `/opt/ftle/${manifest.bin.ftle}`;
  const rules: readonly [boolean, string][] = [
    [/^[1-9]\d*:[1-9]\d*$/.test(user), "user is not a number"],
    [final.includes(`chown ${user} /sweeps`), "results belong to another user"],
    [/^STOPSIGNAL SIGTERM$/m.test(final), "no SIGTERM"],
    [/^ENTRYPOINT \["ftle"\]$/m.test(final), "the program is not process 1"],
    [final.includes(`ln -s ${program} /usr/local/bin/ftle`), "another program"],
    [!/apt-get|npm |gcc/.test(final), "installs in the final stage"],
    [
      stages.slice(1).every((stage) => /^FROM \$\{NODE_IMAGE\}/.test(stage)) &&
        /^node:\d+-\w+-slim$/.test(base),
      "base image not pinned",
    ],
    [Number(/\d+/.exec(base)?.[0]) >= least, "a Node that package.json refuses"],
    [!/^# *syntax=/m.test(text), "fetches a front end"],
    [
      [...text.matchAll(/npm (?:ci|prune|pack|install).*/g)].every(([line]) =>
        line.includes("--ignore-scripts"),
      ),
      "runs the scripts of dependencies",
    ],
    [/test -s prebuilds\/linux-\*\/native\.node/.test(text), "may be without the native engine"],
    [!/^(ENV|ARG) .*(TOKEN|PASSWORD|SECRET|PROXY)/im.test(text), "a secret in the image"],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => fault);
}
