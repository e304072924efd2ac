"""Which fields a sweep has, and what they have in common."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from ftle.identity import short_id
from ftle.records import Json


@dataclass(frozen=True)
class FieldArray:
    """One array of every field.

    Attributes
    ----------
    dims : tuple of str
        ``("y", "x")``, or with ``layer`` before them.
    shape : tuple of int
        Of one network's, with as many layers as the deepest network has.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Fields:
    """The fields over one grid.

    Attributes
    ----------
    id : str
        Of the grid: a part of the folders' names.
    coordinates : dict
        ``x``, ``y`` and, where all layers are stored, ``layer``.
    arrays : dict
        By name.
    """

    id: str
    coordinates: dict[str, npt.NDArray[Any]]
    arrays: dict[str, FieldArray]

    def folder(self, directory: Path, cell: str, snapshot: str) -> str:
        """Where a network's field is, if it is stored."""
        return str(_folder(directory, cell, snapshot, self.id))


def field_id(sweep: Json) -> str | None:
    """Of the sweep's own grid; None if it has no fields."""
    grid = sweep["sweep"].get("field")
    if grid is None:
        return None
    return short_id({name: grid[name] for name in ("region", "points", "layers", "plane") if name in grid})


def fields_of(directory: Path, sweep: Json, cells: Sequence[Json], snapshot: str) -> Fields | None:
    """The fields of the sweep's own grid; None if there is none yet.

    A network may have fields over other grids as well, of earlier sweeps in the directory.
    """
    field = field_id(sweep)
    return None if field is None else _read_fields(directory, cells, snapshot, field)


def _read_fields(directory: Path, cells: Sequence[Json], snapshot: str, field: str) -> Fields | None:
    """From the first field that is there."""
    for cell in cells:
        folder = _folder(directory, cell["cell"], snapshot, field)
        if not (folder / "zarr.json").exists():
            continue
        try:
            group = zarr.open_group(folder, mode="r", zarr_format=3)
            arrays = {name: array for name, array in group.arrays()}
            coordinates = {name: np.asarray(arrays[name][:]) for name in ("x", "y")}
        except (FileNotFoundError, zarr.errors.GroupNotFoundError, json.JSONDecodeError, KeyError):
            continue  # begun in this moment
        depth = max(len(cell["physics"]["network"]["hidden"]) for cell in cells)
        if "layer" in arrays:
            coordinates["layer"] = np.arange(1, depth + 1)
        of_points = {
            name: _field_array(array, depth) for name, array in arrays.items() if _dims(array)[-2:] == ("y", "x")
        }
        return Fields(field, coordinates, of_points)
    return None


def _field_array(array: "zarr.Array[Any]", depth: int) -> FieldArray:
    dims = _dims(array)
    shape = (depth, *array.shape[1:]) if dims[0] == "layer" else array.shape
    return FieldArray(dims, tuple(shape), array.dtype, dict(array.attrs))


def _dims(array: "zarr.Array[Any]") -> tuple[str, ...]:
    return tuple(getattr(array.metadata, "dimension_names", None) or ())


def _folder(directory: Path, cell: str, snapshot: str, field: str) -> Path:
    return directory / "cells" / cell / f"field-{snapshot}-{field}.zarr"
