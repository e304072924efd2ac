/** The commands of the program, with what its help says about each. A command is loaded only when it is asked for. */
import type { Command } from "commander";
import { moduleLoader } from "../shared/module-loader.ts";

export interface CommandEntry {
  readonly name: string;
  /** Its arguments, as in its usage; empty for none. */
  readonly arguments: string;
  readonly summary: string;
}

type LoadAll = () => Promise<readonly Command[]>;

const load = moduleLoader(import.meta.url);

/** In the order in which users need them. */
export const CATALOGUE: readonly CommandEntry[] = [
  {
    name: "run",
    arguments: "<spec>",
    summary: "run a sweep; continues from what its directory already holds",
  },
  {
    name: "plan",
    arguments: "<spec>",
    summary: "show what a sweep would compute and what it would cost; computes nothing",
  },
  {
    name: "status",
    arguments: "[dir]",
    summary: "show the progress of a sweep, or the sweeps and workers of a broker",
  },
  {
    name: "resume",
    arguments: "<dir>",
    summary:
      "continue an interrupted sweep: check every stored file, compute what is missing or damaged",
  },
  {
    name: "retry",
    arguments: "<dir>",
    summary: "run again the tasks that were given up, and whatever is missing",
  },
  {
    name: "cancel",
    arguments: "<sweep>",
    summary: "stop a running sweep; stored results stay, and resume continues it",
  },
  {
    name: "pause",
    arguments: "<sweep>",
    summary: "stop workers from taking further tasks of a sweep; running tasks finish",
  },
  {
    name: "unpause",
    arguments: "<sweep>",
    summary: "let workers take tasks of a paused sweep again",
  },
  {
    name: "plot",
    arguments: "<dir>",
    summary: "draw the lattice of fields, or a quantity of the summary against an axis",
  },
  {
    name: "export",
    arguments: "<dir>",
    summary: "write a sweep's results as Zarr, CSV or Parquet",
  },
  {
    name: "import",
    arguments: "<file>",
    summary: "map networks that were trained elsewhere, from safetensors or ONNX files",
  },
  {
    name: "analyse",
    arguments: "<dir> <name>",
    summary: "compute one more analysis of a sweep's networks; trains nothing again",
  },
  {
    name: "analyses",
    arguments: "[name]",
    summary: "list analyses, or show the options, columns and arrays of one",
  },
  {
    name: "data",
    arguments: "",
    summary: "list data sets, show what is in one, or download one",
  },
  {
    name: "why",
    arguments: "<dir> <cell>",
    summary: "explain why a cell is stored or must be computed",
  },
  {
    name: "verify",
    arguments: "<dir>",
    summary: "check every stored file against its checksum, and recompute a sample",
  },
  {
    name: "doctor",
    arguments: "",
    summary: "check this machine's arithmetic against exact results, and measure its speed",
  },
  {
    name: "worker",
    arguments: "",
    summary: "compute tasks for the sweeps at a broker until stopped",
  },
  {
    name: "nats",
    arguments: "",
    summary: "prepare a NATS broker",
  },
  {
    name: "completion",
    arguments: "<shell>",
    summary: "print a completion script for bash, zsh or fish",
  },
];

/** The whole command, with its summary. `commands/NAME.ts` exports it as `NAMECommand`. */
export async function loadCommand({ name, summary }: CommandEntry): Promise<Command> {
  const module = await load<Record<string, (loadAll: LoadAll) => Command>>(`./commands/${name}.ts`);
  return module[`${name}Command`]!(loadAll).description(summary);
}

async function loadAll(): Promise<readonly Command[]> {
  return await Promise.all(CATALOGUE.map(loadCommand));
}
