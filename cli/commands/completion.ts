import type { Command } from "commander";
import { Argument } from "commander";
import { bashScript } from "../completion/bash.ts";
import type { CompletedCommand } from "../completion/describe.ts";
import { completedCommands } from "../completion/describe.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import { command } from "../terminal/command.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";

const SCRIPTS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** @param loadAll every command of the program, as the script completes them. */
export function completionCommand(loadAll: () => Promise<readonly Command[]>): Command {
  return command("completion", [
    "completion bash > ~/.local/share/bash-completion/completions/ftle",
    "completion zsh > ~/.zfunc/_ftle      # a folder of fpath, before compinit",
    "completion fish > ~/.config/fish/completions/ftle.fish",
  ])
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SCRIPTS)))
    .action(async (shell: string, flags: OutputOptions) => {
      const commands = completedCommands(await loadAll());
      const script = SCRIPTS[shell]!(commands);
      createOutput(flags).result(script.trimEnd(), { shell, script });
    });
}
