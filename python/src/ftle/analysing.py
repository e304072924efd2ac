"""Analyses from Python: the program computes them."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from ftle.dataset import analysis as open_analysis
from ftle.program import call, shower
from ftle.sweeps import plain, warn_of_given_up


def analyse(
    directory: str | os.PathLike[str],
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    progress: bool | Callable[[str], None] | None = None,
    nats: str | None = None,
) -> xr.Dataset:
    """Computes one more analysis of a sweep's networks with ``ftle analyse``, and opens it.

    Nothing is trained again, and an analysis that is stored is not computed again.

    Parameters
    ----------
    directory : path
        Of the sweep.
    name : str
        Of the analysis; ``ftle analyses`` lists them.
    options : mapping, optional
        Those that are not to be as by default.
    threads, progress, nats
        As :func:`ftle.run` takes them.

    Returns
    -------
    xarray.Dataset
        As :func:`ftle.analysis` gives it.

    Raises
    ------
    FtleError
        With the program's message, for instance if the analysis cannot be had of this sweep.

    Examples
    --------
    >>> ftle.analyse("fig2", "exponents", {"at": "train", "count": 5})    # doctest: +SKIP
    """
    given = dict(options or {})
    arguments = ["analyse", os.fspath(directory), name, "--json", "--no-plot"]
    for option, value in given.items():
        arguments += ["--set", f"{option}={json.dumps(value, default=plain, allow_nan=False)}"]
    if threads is not None:
        arguments += ["--threads", str(threads)]
    if nats is not None:
        arguments += ["--nats", nats]
    _, code = call(arguments, shower(progress))
    warn_of_given_up(directory, code)
    return open_analysis(directory, name, options=given)
