"""Sweeps from Python: the program runs them."""

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from ftle.dataset import open as open_sweep
from ftle.errors import FtleError
from ftle.program import GIVEN_UP, call, shower


def run(
    spec: str | os.PathLike[str] | Mapping[str, Any],
    out: str | os.PathLike[str] | None = None,
    *,
    threads: int | None = None,
    progress: bool | Callable[[str], None] | None = None,
    nats: str | None = None,
) -> xr.Dataset:
    """Runs a sweep with the program ``ftle``, and opens it.

    What its directory already holds is not computed again, so that a cell of a notebook can run twice. Interrupted,
    the program stops within seconds and everything finished is stored: run it again to go on.

    Parameters
    ----------
    spec : path or mapping
        A YAML file, or what it would contain. Relative paths in a mapping start from the working directory.
    out : path, optional
        The sweep's directory; by default ``sweeps/<name of the sweep>``.
    threads : int, optional
        How many threads compute; by default as many as there are cores.
    progress : bool or callable, optional
        False shows nothing; a callable gets each line. By default they go to standard error.
    nats : str, optional
        URL of the broker whose workers compute, as ``nats://host:4222``.

    Returns
    -------
    xarray.Dataset
        As :func:`ftle.open` gives it.

    Raises
    ------
    FtleError
        With the program's message, for instance all faults of the spec; or if there is no such program.
    KeyboardInterrupt
        When the program has stopped.

    Warns
    -----
    UserWarning
        If the sweep is complete but for tasks that were given up.

    Examples
    --------
    >>> ds = ftle.run("examples/quickstart.yaml", "quickstart")                         # doctest: +SKIP
    >>> ds = ftle.run({"axes": {"width": [10, 20], "depth": 4}, "name": "two"})         # doctest: +SKIP
    """
    if isinstance(spec, Mapping):
        return _run_mapping(spec, out, threads=threads, progress=progress, nats=nats)
    arguments = ["run", os.fspath(spec), "--json", "--no-plot"]
    if out is not None:
        arguments += ["--out", os.fspath(out)]
    if threads is not None:
        arguments += ["--threads", str(threads)]
    if nats is not None:
        arguments += ["--nats", nats]
    result, code = call(arguments, shower(progress))
    directory = result["directory"]
    warn_of_given_up(directory, code)
    return open_sweep(directory)


def warn_of_given_up(directory: str | os.PathLike[str], code: int) -> None:
    """From the program's exit code."""
    if code == GIVEN_UP:
        warnings.warn(
            f"tasks of the sweep were given up: `ftle status {directory}` says why, `ftle retry {directory}` runs "
            "them again",
            stacklevel=3,
        )


def _run_mapping(spec: Mapping[str, Any], out: str | os.PathLike[str] | None, **options: Any) -> xr.Dataset:
    # JSON is YAML. It lies in the working directory, for the program starts relative paths beside the spec.
    text = json.dumps(dict(spec), default=plain, indent=1, allow_nan=False)
    descriptor, file = tempfile.mkstemp(prefix=".ftle-", suffix=".json", dir=".", text=True)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        return run(file, out, **options)
    except FtleError as error:
        name = Path(file).name
        message = str(error).replace(f"./{name}", "spec").replace(file, "spec").replace(name, "spec")
        raise FtleError(message, code=error.code) from None
    finally:
        os.unlink(file)


def plain(value: Any) -> Any:
    """Numbers and arrays of numpy, and paths."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"expected what JSON can hold in a spec, got {value!r} ({type(value).__name__})")
