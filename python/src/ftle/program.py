"""The program ``ftle``, as a process."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ftle.errors import FtleError

Show = Callable[[str], None]
"""Is called with each line that the program says on the way."""

GIVEN_UP = 3
"""Exit code: complete, but for tasks that were given up."""

_PROGRESS = re.compile(r"\d+(\.\d+)? %")


def command() -> list[str]:
    """How the program is started: ``FTLE_PROGRAM``, a command that may have arguments, or ``ftle`` on the path.

    Raises
    ------
    FtleError
        If there is none.
    """
    named = os.environ.get("FTLE_PROGRAM")
    if named:
        return shlex.split(named)
    found = shutil.which("ftle")
    if found is None:
        raise FtleError(
            "expected the program `ftle` on the PATH, or its command in FTLE_PROGRAM, found neither. It needs Node.js "
            "20.19 or later: install it with `npm install --global ftle-sweeper`, or build it from a clone with "
            '`npm ci` and set FTLE_PROGRAM="node <clone>/dist/cli/main.js"'
        )
    return [found]


def call(arguments: Sequence[str], show: Show | None = None) -> tuple[dict[str, Any], int]:
    """Runs the program to its end.

    KeyboardInterrupt goes to the program as SIGINT, and on when it has stopped: what it has finished is stored.

    Returns
    -------
    result : dict
        What ``--json`` prints.
    code : int
        0, or `GIVEN_UP`.

    Raises
    ------
    FtleError
        With the program's message, if it failed.
    """
    try:
        # In a session of its own, so that Ctrl-C in a terminal reaches it once, from here: a second one stops it hard.
        process = subprocess.Popen(
            [*command(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise FtleError(f"cannot start {shlex.join(command())}: {error}") from error
    printed: list[str] = []
    with process:
        reader = threading.Thread(target=lambda: printed.append(process.stdout.read() if process.stdout else ""))
        reader.start()
        try:
            said = _follow(process, show)
        finally:
            reader.join()
    if process.returncode not in (0, GIVEN_UP):
        raise FtleError(_message(said, process.returncode), code=process.returncode)
    try:
        return json.loads(printed[0]), process.returncode
    except json.JSONDecodeError as error:
        raise FtleError(f"expected JSON from {shlex.join(command())}, found {printed[0][:200]!r}") from error


def _follow(process: "subprocess.Popen[str]", show: Show | None) -> list[str]:
    """What the program says until it ends; whatever goes wrong here stops it first."""
    assert process.stderr is not None
    said: list[str] = []
    fault: BaseException | None = None
    while True:
        try:
            for line in process.stderr:
                said.append(line.rstrip("\n"))
                if show is not None and fault is None:
                    show(said[-1])
            process.wait()
            break
        except BaseException as error:
            fault = fault if fault is not None else error
            process.send_signal(signal.SIGINT)
    if fault is not None:
        raise fault
    return said


def _message(said: Sequence[str], code: int) -> str:
    """From the program's last word on: it begins with its name."""
    starts = [i for i, line in enumerate(said) if line.startswith("ftle: ")]
    lines = said[starts[-1] :] if starts else said[-10:]
    text = "\n".join(lines).removeprefix("ftle: ")
    return text or f"the program ended with exit code {code}, and said nothing"


def shower(progress: bool | Show | None) -> Show | None:
    """What shows the program's lines: by default standard error, where a line of progress takes the last one's place."""
    if callable(progress):
        return progress
    if progress is False:
        return None
    return _show_in_place() if _redraws() else lambda line: print(line, file=sys.stderr, flush=True)


def _redraws() -> bool:
    """Whether a carriage return goes back to the line's start: on terminals, and in notebooks."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def _show_in_place() -> Show:
    pending = 0

    def show(line: str) -> None:
        nonlocal pending
        moves = _PROGRESS.match(line) is not None
        if moves:
            line = line[: max(20, shutil.get_terminal_size().columns - 1)]
        padded = line.ljust(pending)
        print(f"\r{padded}", end="" if moves else "\n", file=sys.stderr, flush=True)
        pending = len(line) if moves else 0

    return show
