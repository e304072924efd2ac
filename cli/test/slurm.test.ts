/** The batch scripts as plain shell scripts, with what Slurm has in the environment and the signals it sends. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { longTest } from "../../shared/testing/long.ts";
import { natsServerBinary, startNatsServer } from "../../shared/testing/nats-server.ts";
import { LOADER, moduleFile, repositoryFile } from "../../shared/testing/repository.ts";
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import { readDepths } from "../../shared/transport/nats/observe.ts";
import { readQueues } from "../../shared/transport/nats/queue-list.ts";
import { inFolder } from "./support/folder.ts";
import type { Ending } from "./support/ftle.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";
import { assertSameContents, contents, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

/** 32 trainings and 288 tiles, of some 50 ms of a core each. */
const SPEC = `
name: trial
axes: {width: [16, 24], depth: [3], seed: {count: 16}}
data: {name: circle, samples: 1000}
training: {epochs: 6, batch: 20}
field: {points: 192, tile: 64}
engine: reference
`;
const TASKS = 32 * (1 + 9);

/** One training of some seconds. */
const LONG = `
axes: {width: 24, depth: 4}
data: {name: circle, samples: 4000}
training: {epochs: 150, batch: 20}
field: none
engine: reference
`;

/** What a job may take on a busy machine. */
const END_MS = 120_000;

type Variables = Readonly<Record<string, string>>;

interface Job {
  /** Of the batch shell, and of the group of all processes of the job. */
  readonly pid: number;
  /** @throws Error if it goes on for too long. */
  ending(): Promise<Ending>;
  /** What it has said so far on standard error. */
  said(): string;
  /** As Slurm does with `--signal=B:` before the time is up: the batch shell alone has it. */
  signalShell(signal: NodeJS.Signals): void;
  /** As Slurm does for scancel, requeue and preemption: every process of the job has it. */
  signalAll(signal: NodeJS.Signals): void;
}

interface Bench {
  readonly folder: string;
  readonly directory: string;
  readonly spec: string;
  /** Runs a script; all its processes are killed when the test is over. */
  submit(script: "workers" | "coordinator", variables: Variables, ...args: string[]): Job;
  /** Puts a program of this name on the jobs' PATH. @returns its path. */
  install(name: string, source: string): Promise<string>;
}

const FTLE = [process.execPath, ...LOADER, fileURLToPath(moduleFile("cli/main"))].join(" ");

/** Ends as `ftle run` does when it was interrupted, and otherwise if it was so twice. */
const INTERRUPTIBLE = `#!${process.execPath}
let signals = 0;
process.on("SIGTERM", () => {
  if (++signals === 1) setTimeout(() => process.exit(130), 500);
  else process.exit(9);
});
setInterval(() => {}, 1000);
console.error("ready");
`;

async function onBench(body: (bench: Bench) => Promise<void>, spec = SPEC): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, "spec.yaml");
    const bin = join(folder, "bin");
    const temporary = join(folder, "tmp");
    await Promise.all([writeFile(path, spec), mkdir(bin), mkdir(temporary)]);
    const isOurs = ([name]: [string, unknown]) => !/^(FTLE|SLURM)_/.test(name);
    const inherited = Object.fromEntries(Object.entries(process.env).filter(isOurs));
    const jobs: Job[] = [];
    const submit: Bench["submit"] = (script, variables, ...args) => {
      const job = start(script, args, {
        ...inherited,
        PATH: `${bin}:${process.env.PATH}`,
        TMPDIR: temporary,
        FTLE_COMMAND: FTLE,
        FTLE_BROKER_HOST: "127.0.0.1",
        ...variables,
      });
      jobs.push(job);
      return job;
    };
    const install: Bench["install"] = async (name, source) => {
      await writeFile(join(bin, name), source);
      await chmod(join(bin, name), 0o755);
      return join(bin, name);
    };
    try {
      await body({ folder, directory: join(folder, "out"), spec: path, submit, install });
      await Promise.all(jobs.map((job) => job.ending()));
      const left = (await readdir(temporary)).filter((name) => !name.startsWith("tsx-"));
      assert.deepEqual(left, [], "left behind in TMPDIR");
    } finally {
      for (const job of jobs) job.signalAll("SIGKILL");
      await Promise.all(jobs.map((job) => job.ending()));
    }
  });
}

function start(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Job {
  const path = fileURLToPath(repositoryFile(`deploy/slurm/${script}.sbatch`));
  const child = spawn("bash", [path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
    detached: true,
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const pid = child.pid!;
  const ended = new Promise<Ending>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...said }));
  });
  return {
    pid,
    async ending() {
      let end: Ending | null = null;
      void ended.then((ending) => {
        end = ending;
      });
      await until(`${script} ${args.join(" ")} ends`, () => end !== null, END_MS);
      return await ended;
    },
    said: () => said.stderr,
    signalShell: (signal) => {
      child.kill(signal);
    },
    signalAll(signal) {
      try {
        process.kill(-pid, signal);
      } catch {
        // no process of the group is left
      }
    },
  };
}

/** What Slurm sets in a task of a job array. */
function arrayTask(task: number, cpus = 1): Variables {
  return {
    SLURM_JOB_ID: `${41 + task}`,
    SLURM_ARRAY_JOB_ID: "41",
    SLURM_ARRAY_TASK_ID: `${task}`,
    SLURM_CPUS_PER_TASK: `${cpus}`,
  };
}

async function isServing({ said }: Job): Promise<void> {
  await until("the worker serves", () => said().includes("worker slurm-"));
}

async function stored(directory: string, count: number): Promise<void> {
  await until(`${count} results`, async () => {
    return (await journalled(directory).catch(() => [])).length >= count;
  });
}

longTest(
  "slurm: an array of workers computes a sweep, and gives its allocations back when idle",
  async () => {
    await onBench(
      async ({ spec, directory, submit }) => {
        const server = await startNatsServer();
        try {
          const variables = { FTLE_NATS: server.url, FTLE_IDLE: "10" };
          const workers = [1, 2].map((task) =>
            submit("workers", { ...variables, ...arrayTask(task) }, "--engine", "reference"),
          );
          await Promise.all(workers.map(isServing));
          const nats = ["--nats", server.url];
          const { code, stderr } = await ftle(
            "run",
            spec,
            "--out",
            directory,
            "--no-plot",
            ...nats,
          );
          assert.equal(code, 0, stderr);
          for (const worker of workers) {
            const end = await worker.ending();
            assert.equal(end.code, 0, end.stderr);
            assert.match(end.stderr, /idle for 10 s/);
          }
          const journal = await readFile(join(directory, "journal.jsonl"), "utf8");
          for (const name of ["slurm-41_1", "slurm-41_2"]) assert.ok(journal.includes(name), name);
        } finally {
          await server.stop();
        }
      },
      SPEC.replace("count: 8", "count: 2"),
    );
  },
);

for (const [how, signal] of [
  ["its time is nearly up", (job: Job) => job.signalShell("SIGTERM")],
  ["it is cancelled", (job: Job) => job.signalAll("SIGTERM")],
] as const) {
  longTest(
    `slurm: a worker gives its task back when ${how}, ends with 0, and another has it`,
    async () => {
      await onBench(async ({ spec, directory, submit }) => {
        const server = await startNatsServer();
        const nats = ["--nats", server.url];
        const run = spawnFtle("run", spec, "--out", directory, "--no-plot", ...nats);
        try {
          const variables = { FTLE_NATS: server.url, FTLE_GRACE: "1" };
          const leaving = submit(
            "workers",
            { ...variables, ...arrayTask(1) },
            "-t",
            "1",
            ...ENGINE,
          );
          const broker = await connectBroker({ url: server.url });
          await until("the task is computed", async () => {
            const depths = await readDepths(broker, (await readQueues(broker)) ?? []);
            return [...depths.values()].some(({ inFlight }) => inFlight === 1);
          });
          await broker.close();
          signal(leaving);
          const end = await leaving.ending();
          assert.equal(end.code, 0, end.stderr);
          assert.match(end.stdout, /^0 tasks done, 1 given back$/m);
          const staying = submit("workers", { ...variables, ...arrayTask(2) }, ...ENGINE);
          const { code, stderr } = await run.ended;
          assert.equal(code, 0, stderr);
          staying.signalShell("SIGTERM");
          assert.match((await staying.ending()).stdout, /^1 task done$/m);
        } finally {
          run.kill("SIGKILL");
          await run.ended;
          await server.stop();
        }
      }, LONG);
    },
  );
}

const ENGINE = ["--engine", "reference"];

test("slurm: a worker is started with the job's resources, and its failure is the job's", async () => {
  await onBench(async ({ submit, install }) => {
    await install("ftle", '#!/bin/sh\necho "$FTLE_NATS $*"; exit 7');
    const variables = { FTLE_COMMAND: "ftle", FTLE_NATS: "nats://host" };
    const lines = [];
    for (const more of [{}, arrayTask(2, 3), { SLURM_JOB_ID: "50", FTLE_GRACE: "5" }]) {
      const { code, stdout } = await submit(
        "workers",
        { ...variables, ...more },
        ...ENGINE,
      ).ending();
      assert.equal(code, 7);
      lines.push(stdout.trim());
    }
    const usual = "--grace 20s --exit-when-idle 600s";
    assert.deepEqual(lines, [
      `nats://host worker ${usual} --engine reference`,
      `nats://host worker ${usual} --threads 3 --name slurm-41_2 --engine reference`,
      "nats://host worker --grace 5s --exit-when-idle 600s --name slurm-50 --engine reference",
    ]);
  });
});

test("slurm: a worker waits for the coordinator's broker, not for ever, and can be stopped meanwhile", async () => {
  await onBench(async ({ directory, submit, install }) => {
    await install("ftle", '#!/bin/sh\necho "$FTLE_NATS"');
    const variables = { FTLE_COMMAND: "ftle", ...arrayTask(1) };
    const idle = await submit("workers", { ...variables, FTLE_IDLE: "1" }, directory).ending();
    assert.equal(idle.code, 0);
    assert.match(idle.stderr, /^workers.sbatch: no \S+\/out\/.broker within 1 s/);

    const cancelled = submit("workers", variables, directory);
    const patient = submit("workers", variables, directory);
    const first = await childOf(patient);
    process.kill(first, "SIGTERM"); // of the job's processes it may be the first to get a signal
    await until("it waits on", async () => (await childOf(patient)) !== first);
    await childOf(cancelled);
    cancelled.signalAll("SIGTERM");
    assert.equal((await cancelled.ending()).code, 0);
    await mkdir(directory);
    await writeFile(join(directory, ".broker"), "nats://user:password@node:1\n");
    assert.equal((await patient.ending()).stdout, "nats://user:password@node:1\n");
  });
});

/** The process that a batch shell waits for. */
async function childOf({ pid }: Job): Promise<number> {
  let children = "";
  await until("it has a child", async () => {
    children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    return children !== "";
  });
  return Number(children.trim().split(" ").at(-1));
}

test("slurm: what is missing is reported at once, with exit 2", async () => {
  await onBench(async ({ folder, spec, directory, submit }) => {
    const nats = { FTLE_NATS: "nats://127.0.0.1:1" };
    const nowhere = join(folder, "nowhere");
    const faults: [RegExp, Job][] = [
      [/expected a broker: its URL in FTLE_NATS, or the directory/, submit("workers", {})],
      [/expected a broker/, submit("workers", { FTLE_NATS: "" }, ...ENGINE)],
      [/expected a spec and the sweep's directory/, submit("coordinator", nats, spec)],
      [/cannot read \S+nowhere/, submit("coordinator", nats, nowhere, directory)],
      [
        /a broker's URL in FTLE_NATS, or a program \S+nowhere/,
        submit("coordinator", { FTLE_NATS_SERVER: nowhere }, spec, directory),
      ],
    ];
    for (const script of ["workers", "coordinator"] as const) {
      for (const [name, value, fault] of [
        ["FTLE_COMMAND", `${nowhere} ftle`, /expected a program \S+nowhere, found none/],
        ["FTLE_NATS_CREDENTIALS", nowhere, /cannot read \S+nowhere/],
        ["FTLE_NATS_CA", nowhere, /cannot read \S+nowhere/],
      ] as const) {
        const variables = { ...nats, [name]: value };
        faults.push([
          fault,
          submit(script, variables, ...(script === "workers" ? [] : [spec, directory])),
        ]);
      }
    }
    for (const [fault, job] of faults) {
      const { code, stdout, stderr } = await job.ending();
      assert.equal(code, 2, stderr);
      assert.match(stderr, fault);
      assert.match(stderr, /^\w+\.sbatch: .*\n$/);
      assert.equal(stdout, "");
    }
  });
});

longTest(
  "slurm: a coordinator with a broker of its own goes on after it was cancelled, to the same bytes",
  async () => {
    await onBench(async ({ folder, spec, directory, submit }) => {
      const variables = { FTLE_NATS_SERVER: await natsServerBinary(), SLURM_JOB_ID: "7" };
      const broker = join(directory, ".broker");
      const worker = { FTLE_GRACE: "1", ...arrayTask(1) };

      const early = submit("workers", worker, directory, ...ENGINE);
      const first = submit("coordinator", variables, spec, directory, "--no-plot");
      await stored(directory, 5);
      assert.equal((await stat(broker)).mode & 0o777, 0o600);
      const url = await readFile(broker, "utf8");
      const second = await submit("coordinator", variables, spec, directory, "--no-plot").ending();
      assert.equal(second.code, 1);
      assert.match(second.stderr, /in use by/);
      assert.equal(await readFile(broker, "utf8"), url);

      first.signalAll("SIGTERM");
      const end = await first.ending();
      assert.equal(end.code, 130, end.stderr);
      assert.match(end.stderr, /interrupted; every finished task is stored/);
      assert.equal(existsSync(broker), false);
      early.signalShell("SIGTERM");
      assert.equal((await early.ending()).code, 0);
      const before = (await journalled(directory)).length;
      assert.ok(before < TASKS, "it was over before it was cancelled");

      const late = submit("workers", worker, directory, ...ENGINE);
      const { code, stderr } = await submit("coordinator", variables, spec, directory).ending();
      assert.equal(code, 0, stderr);
      late.signalShell("SIGTERM");
      assert.equal((await late.ending()).code, 0);
      assert.equal(existsSync(broker), false);
      const tasks = await journalled(directory);
      assert.deepEqual([tasks.length, new Set(tasks).size], [TASKS, TASKS]);
      const here = join(folder, "here");
      await runHere(spec, here);
      assertSameContents(await contents(directory), await contents(here));
    });
  },
);

test("slurm: a coordinator whose time is up goes back into the queue, unless it was cancelled or did so too often", async () => {
  await onBench(async ({ folder, spec, directory, submit, install }) => {
    await install("ftle", INTERRUPTIBLE);
    await install("scontrol", `#!/bin/sh\necho "$*" >>'${folder}/scontrol'`);
    const variables = { FTLE_COMMAND: "ftle", FTLE_NATS: "nats://host", SLURM_JOB_ID: "7" };
    const submitted = async (more: Variables) => {
      const job = submit("coordinator", { ...variables, ...more }, spec, directory);
      await until("ftle runs", () => job.said().includes("ready"));
      return job;
    };
    const cancelled = await submitted({});
    cancelled.signalAll("SIGTERM");
    assert.equal((await cancelled.ending()).code, 130);
    const tired = await submitted({ SLURM_RESTART_COUNT: "20" });
    tired.signalShell("SIGUSR1");
    const end = await tired.ending();
    assert.equal(end.code, 130);
    assert.match(end.stderr, /time is up for the 21th? time; go on with/);
    assert.equal(existsSync(join(folder, "scontrol")), false);

    const late = await submitted({ SLURM_RESTART_COUNT: "19" });
    late.signalShell("SIGUSR1");
    assert.equal((await late.ending()).code, 130);
    assert.equal(await readFile(join(folder, "scontrol"), "utf8"), "requeue 7\n");
  });
});

test("slurm: a coordinator whose own broker dies stops ftle and says what the broker said", async () => {
  await onBench(async ({ folder, spec, directory, submit, install }) => {
    await install("ftle", INTERRUPTIBLE);
    const variables = { FTLE_COMMAND: "ftle", FTLE_NATS_SERVER: await natsServerBinary() };
    const job = submit("coordinator", variables, spec, directory);
    await until("ftle runs", () => job.said().includes("ready"));
    const [scratch] = await readdir(join(folder, "tmp"));
    const names = await readdir(join(folder, "tmp", scratch!));
    const [, pid] = /_(\d+)\.ports/.exec(names.join())!;
    process.kill(Number(pid), "SIGKILL");
    const { code, stderr } = await job.ending();
    assert.equal(code, 1);
    assert.match(stderr, /nats-server has ended:\n(.|\n)*Server is ready/);
  });
});
