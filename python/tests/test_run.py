"""ftle.run: the program as a process."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import ftle

TINY = {
    "name": "tiny",
    "axes": {"width": np.array([2, 3]), "depth": np.int64(1)},
    "data": {"name": "circle", "samples": 60},
    "training": {"epochs": 1},
    "field": {"points": 8},
}

SLOW = {
    **TINY,
    "name": "slow",
    "axes": {"width": 40, "depth": 2, "seed": {"count": 400}},
    "data": {"name": "circle", "samples": 4000},
    "engine": "reference",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_mapping_is_a_spec(tmp_path: Path) -> None:
    lines: list[str] = []
    ds = ftle.run(TINY, threads=1, progress=lines.append)
    assert ds.width.values.tolist() == [2, 3] and np.isfinite(ds.lambda1).all()
    assert lines[0].startswith("tiny: 2 networks")
    assert [path.name for path in tmp_path.iterdir()] == ["sweeps"], "nothing else is left"
    again = ftle.run(TINY, "sweeps/tiny", progress=False)
    assert again.identical(ds)


def test_a_file_is_a_spec_and_progress_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "tiny.yaml"
    spec.write_text("axes: {width: 2, depth: 1}\ndata: {name: circle, samples: 60}\ntraining: {epochs: 1}\nfield: none\n")
    ds = ftle.run(spec, tmp_path / "out")
    assert "lambda1" not in ds and ds.sizes == {"cell": 1}
    printed = capsys.readouterr()
    assert printed.out == "" and "1 network" in printed.err
    ftle.run(spec, tmp_path / "out", progress=False)
    assert capsys.readouterr().err == ""


def test_relative_paths_in_a_mapping_start_here(tmp_path: Path) -> None:
    rows = [f"{x},{y},{'in' if x * x + y * y < 8 else 'out'}" for x in range(-5, 6) for y in range(-5, 6)]
    (tmp_path / "points.csv").write_text("\n".join(["a,b,kind", *rows]))
    data = {"name": "file", "path": "points.csv", "inputs": ["a", "b"], "target": "kind"}
    assert ftle.run({**TINY, "data": data}, progress=False).sizes["cell"] == 2


def test_all_faults_of_a_spec_are_in_the_error() -> None:
    with pytest.raises(ftle.FtleError) as caught:
        ftle.run({**TINY, "axes": {"widht": 2, "depth": 0}}, progress=False)
    message = str(caught.value)
    assert caught.value.code == 2
    assert "did you mean `width`?" in message and "axes.depth" in message
    assert message.startswith("spec:") and ".ftle-" not in message


def test_values_that_no_spec_has() -> None:
    with pytest.raises(TypeError, match="expected what JSON can hold in a spec, got <object"):
        ftle.run({**TINY, "axes": object()})


def test_an_interrupt_stops_the_program_and_what_is_done_stays(tmp_path: Path) -> None:
    lines: list[str] = []
    starts: list[threading.Timer] = []

    def interrupt_soon(line: str) -> None:
        lines.append(line)
        if not starts:
            starts.append(threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)))
            starts[0].start()

    with pytest.raises(KeyboardInterrupt):
        ftle.run(SLOW, "slow", progress=interrupt_soon)
    done = ftle.open("slow")
    assert done.sizes["cell"] < 400, "it has been stopped"
    # The program is gone: nothing holds the directory.
    smaller = {**SLOW, "axes": {**SLOW["axes"], "seed": {"count": 2}}}
    assert set(ftle.run(smaller, "slow", progress=False).seed.values) >= {0, 1}


def test_a_fault_of_the_caller_stops_the_program_too() -> None:
    def fail(line: str) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="slow: 400 networks"):
        ftle.run(SLOW, "slow", progress=fail)
    assert ftle.open("slow").sizes["cell"] < 400


def test_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FTLE_PROGRAM")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ftle.FtleError, match=r"npm install --global ftle-sweeper.*FTLE_PROGRAM="):
        ftle.run(TINY)
    monkeypatch.setenv("FTLE_PROGRAM", str(tmp_path / "nothing"))
    with pytest.raises(ftle.FtleError, match="cannot start .*nothing"):
        ftle.run(TINY)


def test_options_and_tasks_that_were_given_up(many: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A script plays the program: neither a broker nor a task that always fails is to be had."""
    script = tmp_path / "program.py"
    printed = json.dumps({"directory": str(many)})
    script.write_text(f"import sys\nprint({printed!r})\nprint(sys.argv[1:], file=sys.stderr)\nraise SystemExit(3)\n")
    monkeypatch.setenv("FTLE_PROGRAM", f"'{sys.executable}' '{script}'")
    lines: list[str] = []
    with pytest.warns(UserWarning, match="tasks of the sweep were given up: `ftle status"):
        ds = ftle.run("a.yaml", "b", threads=3, nats="nats://host:4222", progress=lines.append)
    assert ds.sizes["cell"] == 200
    options = ["--out", "b", "--threads", "3", "--nats", "nats://host:4222"]
    assert lines == [str(["run", "a.yaml", "--json", "--no-plot", *options])]
