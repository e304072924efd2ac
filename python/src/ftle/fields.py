"""Which fields a sweep has, and what they have in common."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

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


def fields_of(directory: Path, sweep: Json, cells: Sequence[Json], snapshot: str) -> Fields | None:
    """The fields of the sweep's own grid; None if there is none yet.

    A network may have fields over other grids as well, of earlier sweeps in the directory.
    """
    grid = sweep["sweep"].get("field")
    if grid is None:
        return None
    found = [_read_fields(directory, cells, snapshot, field) for field in _ids(directory, cells, snapshot)]
    whole = [fields for fields in found if fields is not None]
    return next((fields for fields in whole if _is_over(fields, grid)), whole[0] if whole else None)


def _ids(directory: Path, cells: Sequence[Json], snapshot: str) -> list[str]:
    """Of all grids, the commonest first."""
    stored = [
        str(field["field"]) for cell in cells for field in cell.get("fields", []) if str(field["snapshot"]) == snapshot
    ]
    if stored:
        return [field for field, _ in Counter(stored).most_common()]
    # No field is complete: perhaps some have tiles.
    for cell in cells:
        begun = sorted(directory.glob(f"cells/{cell['cell']}/field-{snapshot}-*.zarr"))
        if begun:
            return [path.stem.rpartition("-")[2] for path in begun]
    return []


def _read_fields(directory: Path, cells: Sequence[Json], snapshot: str, field: str) -> Fields | None:
    """From the first field that is there."""
    for cell in cells:
        folder = _folder(directory, cell["cell"], snapshot, field)
        try:
            group = zarr.open_group(folder, mode="r", zarr_format=3)
            arrays = {name: array for name, array in group.arrays()}
            coordinates = {name: np.asarray(arrays[name][:]) for name in ("x", "y")}
        except (FileNotFoundError, zarr.errors.GroupNotFoundError, json.JSONDecodeError, KeyError):
            continue  # not begun, or begun in this moment
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


def _is_over(fields: Fields, grid: Json) -> bool:
    """Whether its points are at the centres of equal squares of this grid's region."""
    if ("layer" in fields.coordinates) != (grid.get("layers") == "all"):
        return False
    for name in ("x", "y"):
        values, region = fields.coordinates[name], grid.get("region")
        if len(values) != grid.get("points"):
            return False
        if region is None:
            continue
        start, end = region[name]
        half = (end - start) / len(values) / 2
        if not np.allclose(values[[0, -1]], [start + half, end - half], atol=1e-3 * abs(half)):
            return False
    return True


def _folder(directory: Path, cell: str, snapshot: str, field: str) -> Path:
    return directory / "cells" / cell / f"field-{snapshot}-{field}.zarr"
