/** The commands of the program: what its help says of each, and how it is loaded, alone, when it is asked for. */
import type { Command } from "commander";

export interface CommandEntry {
  readonly name: string;
  /** Its arguments, as in its usage; empty for none. */
  readonly arguments: string;
  readonly summary: string;
  load(): Promise<() => Command>;
}

/** In the order in which people meet them. */
export const CATALOGUE: readonly CommandEntry[] = [
  {
    name: "run",
    arguments: "<spec>",
    summary: "run a sweep; continues from what its directory already holds",
    load: async () => (await import("./commands/run.ts")).runCommand,
  },
  {
    name: "plan",
    arguments: "<spec>",
    summary: "show what a sweep would compute and what it would cost; computes nothing",
    load: async () => (await import("./commands/plan.ts")).planCommand,
  },
  {
    name: "status",
    arguments: "[dir]",
    summary: "show the progress of a sweep, or the sweeps and workers of a broker",
    load: async () => (await import("./commands/status.ts")).statusCommand,
  },
  {
    name: "resume",
    arguments: "<dir>",
    summary:
      "continue an interrupted sweep: check every stored file, compute what is missing or damaged",
    load: async () => (await import("./commands/resume.ts")).resumeCommand,
  },
  {
    name: "retry",
    arguments: "<dir>",
    summary: "run the tasks that were given up again, and whatever is missing",
    load: async () => (await import("./commands/retry.ts")).retryCommand,
  },
  {
    name: "cancel",
    arguments: "<sweep>",
    summary: "stop a running sweep; stored results stay, and resume continues it",
    load: async () => (await import("./commands/cancel.ts")).cancelCommand,
  },
  {
    name: "pause",
    arguments: "<sweep>",
    summary: "stop workers from taking further tasks of a sweep; running tasks finish",
    load: async () => (await import("./commands/pause.ts")).pauseCommand,
  },
  {
    name: "unpause",
    arguments: "<sweep>",
    summary: "let workers take tasks of a paused sweep again",
    load: async () => (await import("./commands/unpause.ts")).unpauseCommand,
  },
  {
    name: "plot",
    arguments: "<dir>",
    summary: "draw the lattice of fields, or a quantity of the summary against an axis",
    load: async () => (await import("./commands/plot.ts")).plotCommand,
  },
  {
    name: "export",
    arguments: "<dir>",
    summary: "write a sweep's results as Zarr, CSV or Parquet",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  {
    name: "why",
    arguments: "<dir> <cell>",
    summary: "explain why a cell is stored or must be computed",
    load: async () => (await import("./commands/why.ts")).whyCommand,
  },
  {
    name: "verify",
    arguments: "<dir>",
    summary: "check every stored file against its checksum, and recompute a sample",
    load: async () => (await import("./commands/verify.ts")).verifyCommand,
  },
  {
    name: "doctor",
    arguments: "",
    summary: "check this machine's arithmetic against exact results, and measure its speed",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    name: "worker",
    arguments: "",
    summary: "compute tasks for the sweeps at a broker until stopped",
    load: async () => (await import("./commands/worker.ts")).workerCommand,
  },
  {
    name: "nats",
    arguments: "",
    summary: "prepare a NATS broker",
    load: async () => (await import("./commands/nats.ts")).natsCommand,
  },
  {
    name: "completion",
    arguments: "<shell>",
    summary: "print a completion script for bash, zsh or fish",
    load: async () => {
      const { completionCommand } = await import("./commands/completion.ts");
      return () => completionCommand(() => Promise.all(CATALOGUE.map(loadCommand)));
    },
  },
];

/** The whole command, with its summary. */
export async function loadCommand({ summary, load }: CommandEntry): Promise<Command> {
  const build = await load();
  return build().description(summary);
}
