import type { ChildProcess, StdioOptions } from "node:child_process";
import { spawn } from "node:child_process";

/**
 * Starts the command given as arguments, and kills it when our end of its standard input closes: that
 * happens however this process ends. Ctrl-C in the terminal does not reach it (`detached`).
 */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
pid=$!
(cat <&3 >/dev/null; kill -9 $pid; [ -z "$FTLE_GUARD_REMOVE" ] || rm -rf "$FTLE_GUARD_REMOVE") >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait $pid
code=$?
kill $guard 2>/dev/null # its pid may be another's by now
exit $code
`;

/** A process that cannot outlive this one, kill -9 included. POSIX systems only. */
export function spawnGuarded(
  command: string,
  args: readonly string[],
  { stdout = "ignore", remove = "" }: { stdout?: "ignore" | number; remove?: string } = {},
): ChildProcess {
  const stdio: StdioOptions = ["pipe", stdout, stdout];
  return spawn("sh", ["-c", GUARD, "sh", command, ...args], {
    stdio,
    detached: true,
    env: { ...process.env, FTLE_GUARD_REMOVE: remove },
  });
}
