"""A store as xarray sees it: ``xr.open_dataset(directory, engine="ftle")``."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendEntrypoint
from xarray.core import indexing

from ftle.axes import Axis, Value, axes_of, places_of
from ftle.columns import DOCS, results_of
from ftle.fields import Fields, fields_of
from ftle.layout import Layout, Places, in_order, lattice, row
from ftle.lazy import LazyFields
from ftle.records import Json, read_cells, read_sweep


class FtleBackend(BackendEntrypoint):
    """Opens the directory of a sweep; :func:`ftle.open` says what is in the dataset."""

    description = "Sweeps of ftle: fields of finite-time Lyapunov exponents of neural networks"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", "snapshot", "lattice")

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: str | os.PathLike[str],
        *,
        drop_variables: str | Iterable[str] | None = None,
        snapshot: int | str = "end",
        lattice: bool = False,
    ) -> xr.Dataset:
        dataset = _dataset(Path(filename_or_obj), snapshot, is_lattice=lattice)
        dropped = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or [])
        return dataset.drop_vars(dropped, errors="ignore")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        return all(Path(filename_or_obj, name).is_file() for name in ("sweep.json", "sweep.yaml"))


def _dataset(directory: Path, snapshot: int | str, *, is_lattice: bool) -> xr.Dataset:
    sweep = read_sweep(directory)
    time = _snapshot(snapshot, sweep)
    axes = axes_of(sweep)
    cells = read_cells(directory)
    places: Places = places_of(cells, axes, sweep)
    order = in_order(cells, axes, places)
    cells = [cells[number] for number in order]
    places = {name: [values[number] for number in order] for name, values in places.items()}
    layout = lattice(cells, axes, places) if is_lattice else row(cells)

    fields = fields_of(directory, sweep, cells, time)
    results = results_of(cells, time, None if fields is None else fields.id)
    variables = {name: _variable(name, layout, values) for name, values in results.items()}
    coordinates = _coordinates(cells, axes, places, layout)
    if fields is not None:
        folders = layout.put([fields.folder(directory, cell["cell"], time) for cell in cells])
        variables |= _field_variables(fields, layout, folders)
        coordinates |= {
            name: xr.Variable((name,), values, DOCS.get(name)) for name, values in fields.coordinates.items()
        }
    return xr.Dataset(
        variables,
        coords=coordinates | {"snapshot": xr.Variable((), time, DOCS["snapshot"])},
        attrs={
            "title": sweep["sweep"]["name"],
            "source": f"ftle-sweeper {sweep.get('version', '')}",
            "engine": sweep.get("engine", ""),
            "axes": [axis.name for axis in axes],
        },
    )


def _snapshot(snapshot: int | str, sweep: Json) -> str:
    """As it stands in the names of files."""
    stored = [str(one) for one in (sweep["sweep"].get("training") or {}).get("snapshots", ["end"])]
    if str(snapshot) not in stored:
        raise ValueError(f"expected a snapshot of the sweep, one of {', '.join(stored)}; got {snapshot!r}")
    return str(snapshot)


def _coordinates(
    cells: Sequence[Json], axes: Sequence[Axis], places: Places, layout: Layout
) -> dict[str, xr.Variable]:
    columns: dict[str, Sequence[Value | None]] = {
        "cell": [cell["cell"] for cell in cells],
        **places,
        "outputs": [cell["physics"]["network"].get("outputs") for cell in cells],
        "status": [cell.get("status", "") for cell in cells],
    }
    found = {
        name: _variable(name, layout, values) for name, values in columns.items() if name not in layout.dims[1:]
    }
    if layout.dims != ("cell",):
        found |= {axis.name: xr.Variable((axis.name,), np.array(axis.values), _docs(axis)) for axis in axes}
    for axis in axes:
        if axis.path is not None:
            found[axis.name].attrs = _docs(axis)
    return found


def _docs(axis: Axis) -> dict[str, str]:
    return DOCS.get(axis.name, {}) if axis.path is None else {"long_name": axis.path}


def _variable(name: str, layout: Layout, values: Sequence[Value | None]) -> xr.Variable:
    return xr.Variable(layout.dims, layout.put(values), DOCS.get(name))


def _field_variables(fields: Fields, layout: Layout, folders: Any) -> dict[str, xr.Variable]:
    variables = {}
    for name, array in fields.arrays.items():
        lazy = LazyFields(folders, name, array.shape, array.dtype)
        dims = (*layout.dims, *array.dims)
        chunks = dict.fromkeys(layout.dims, 1) | dict(zip(array.dims, array.shape, strict=True))
        variables[name] = xr.Variable(
            dims,
            indexing.LazilyIndexedArray(lazy),
            array.attributes,
            {"preferred_chunks": chunks, "dtype": array.dtype},
        )
    return variables
