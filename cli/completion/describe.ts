/** What a completion script is made from: the commands themselves, as commander has them. */
import type { Argument, Command, Option } from "commander";

/** What may stand at a place: one of some words, a kind of path, a cell of the sweep named before it, or anything. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "spec" | "sweep" | "cell" | "file" | "folder" | "anything" };

export interface CompletedOption {
  /** Such as `-o` and `--out`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** null: it takes none. */
  readonly value: Value | null;
}

export interface CompletedCommand {
  /** Such as `["nats", "setup"]`. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly Value[];
  /** Whether it has commands of its own. */
  readonly hasCommands: boolean;
}

/** The commands below this one, each followed by its own. */
export function completedCommands(
  commands: readonly Command[],
  above: readonly string[] = [],
): CompletedCommand[] {
  return commands.flatMap((command) => {
    const path = [...above, command.name()];
    const help = { flags: ["-h", "--help"], summary: "display help", value: null };
    const one = {
      path,
      summary: command.description(),
      options: [...command.options.map(completedOption), help],
      arguments: command.registeredArguments.map(argumentValue),
      hasCommands: command.commands.length > 0,
    };
    return [one, ...completedCommands(command.commands, path)];
  });
}

function completedOption(option: Option): CompletedOption {
  const { short, long, description, argChoices } = option;
  const flags = [short, long].filter((flag) => flag !== undefined);
  if (!option.required && !option.optional) return { flags, summary: description, value: null };
  const placeholder = /[<[]([\w=-]+)/.exec(option.flags)?.[1] ?? "";
  const value = argChoices === undefined ? pathValue(placeholder) : words(argChoices);
  return { flags, summary: description, value };
}

function argumentValue(argument: Argument): Value {
  if (argument.argChoices !== undefined) return words(argument.argChoices);
  switch (argument.name()) {
    case "spec":
    case "cell":
      return { kind: argument.name() as "spec" | "cell" };
    case "dir":
    case "sweep":
      return { kind: "sweep" };
    default:
      return { kind: "anything" };
  }
}

function pathValue(placeholder: string): Value {
  if (placeholder === "file") return { kind: "file" };
  return { kind: ["dir", "path"].includes(placeholder) ? "folder" : "anything" };
}

function words(list: readonly string[]): Value {
  return { kind: "words", words: list };
}
