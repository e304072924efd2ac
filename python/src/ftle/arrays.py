"""What arrays the results of an analysis have: those of ridges or layers differ in length from network to network."""

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ftle.analyses import Analysis
from ftle.records import Json


@dataclass(frozen=True)
class ResultArray:
    """One array of every network.

    Attributes
    ----------
    dims : tuple of str
    shape : tuple of int
        As large as the largest network's.
    attributes : dict
        Of the array: ``long_name``, ``units``.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    attributes: dict[str, Any]


def results_in(
    directory: Path, cells: Sequence[Json], snapshot: str, analysis: Analysis
) -> tuple[dict[str, ResultArray], list[str]]:
    """The arrays by name, and the folder of each network's, empty where there is none. Of damaged ones it warns."""
    arrays: dict[str, ResultArray] = {}
    folders, damaged = [], []
    for cell in cells:
        record = analysis.record(cell, snapshot)
        folders.append("")
        if record is None or not record["files"]:
            continue
        folder = directory / "cells" / cell["cell"] / f"{analysis.name}-{snapshot}-{record['id']}.zarr"
        found = _arrays(folder, record)
        if found is None:
            damaged.append(cell["cell"])
            continue
        folders[-1] = str(folder)
        for name, array in found.items():
            arrays[name] = _larger(arrays.get(name, array), array)
    if damaged:
        warnings.warn(
            f"{analysis.label} of {len(damaged)} of {len(cells)} networks is left out, its files are damaged "
            f"({', '.join(damaged[:3])}{', …' if len(damaged) > 3 else ''}); `ftle resume {directory}` restores them",
            stacklevel=2,
        )
    return arrays, folders


def labels_of(arrays: dict[str, ResultArray]) -> dict[str, npt.NDArray[Any]]:
    """Coordinates of dimensions whose places have a name: layers and exponents have numbers, from 1."""
    sizes = {dim: size for array in arrays.values() for dim, size in zip(array.dims, array.shape, strict=True)}
    found = {dim: np.arange(1, sizes[dim] + 1) for dim in ("layer", "exponent") if dim in sizes}
    return found | ({"coordinate": np.array(["x", "y"])} if sizes.get("coordinate") == 2 else {})


def _arrays(folder: Path, record: Json) -> dict[str, ResultArray] | None:
    """From the group's copy of its arrays' metadata; None if it is not what the record vouches for."""
    digests = {one["path"]: one["digest"] for one in record["files"]}
    try:
        text = (folder / "zarr.json").read_bytes()
    except OSError:
        return None
    if f"sha256:{hashlib.sha256(text).hexdigest()}" != digests.get("zarr.json"):
        return None
    metadata = json.loads(text)["consolidated_metadata"]["metadata"]
    return {
        name: ResultArray(tuple(one["dimension_names"]), tuple(one["shape"]), dict(one["attributes"]))
        for name, one in metadata.items()
    }


def _larger(one: ResultArray, other: ResultArray) -> ResultArray:
    return replace(one, shape=tuple(map(max, one.shape, other.shape)))
