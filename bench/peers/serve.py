"""A contestant's side of `bench/engines/contestant.ts`: a line of JSON in, a line of JSON out."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Prepared:
    """A case that is compiled and checked, ready to be timed."""

    #: Does a piece of the work, waits for it, and returns how many units it was.
    run: Callable[[], int]
    #: Results that all contestants must agree on.
    check: list[float]
    #: What was chosen among several ways, e.g. the size of the chunks.
    chosen: str = ""


def serve(prepare: Callable[[dict], Prepared]) -> None:
    """Answers `{"prepare": case}` and `{"run": milliseconds}` until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output of libraries must not get between the answers
    prepared: Prepared | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                prepared = None  # frees the last case before the next takes its memory
                prepared = prepare(request["prepare"])
                answer = {"check": prepared.check, "chosen": prepared.chosen}
            else:
                assert prepared is not None, "nothing was prepared"
                answer = timed(prepared.run, request["run"] / 1000)
        except Exception as error:  # noqa: BLE001: out of memory is a result, too
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), file=answers)


def timed(run: Callable[[], int], at_least: float) -> dict[str, float]:
    """Repeats `run` for so many seconds or, if it takes longer than that, once."""
    start = time.perf_counter()
    units = 0
    while True:
        units += run()
        seconds = time.perf_counter() - start
        if seconds >= at_least:
            return {"units": units, "seconds": seconds}
