"""A store as xarray sees it: ``xr.open_dataset(directory, engine="ftle")``."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendEntrypoint
from xarray.core import indexing

from ftle.analyses import Analysis, analyses_of, chosen
from ftle.arrays import labels_of, results_in
from ftle.axes import Axis, Value, axes_of, places_of
from ftle.columns import DOCS, analysis_of, plane_docs, results_of
from ftle.fields import field_id, fields_of
from ftle.identity import canonical
from ftle.layout import Layout, Places, in_order, lattice, row
from ftle.lazy import LazyArrays
from ftle.records import Json, read_cells, read_sweep


class FtleBackend(BackendEntrypoint):
    """Opens the directory of a sweep; :func:`ftle.open` and :func:`ftle.analysis` say what is in the dataset."""

    description = "Sweeps of ftle: fields of finite-time Lyapunov exponents of neural networks"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", "snapshot", "lattice", "analysis", "options")

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: str | os.PathLike[str],
        *,
        drop_variables: str | Iterable[str] | None = None,
        snapshot: int | str = "end",
        lattice: bool = False,
        analysis: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> xr.Dataset:
        networks = _networks(Path(filename_or_obj), snapshot, is_lattice=lattice)
        if analysis is None:
            dataset = _with_fields(networks)
        else:
            dataset = _with_analysis(networks, chosen(networks.analyses, analysis, options))
        dropped = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or [])
        return dataset.drop_vars(dropped, errors="ignore")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        return all(Path(filename_or_obj, name).is_file() for name in ("sweep.json", "sweep.yaml"))


@dataclass(frozen=True)
class Networks:
    """What is stored of a sweep, and where in the dataset each network is; `places` are in the order of `cells`."""

    directory: Path
    sweep: Json
    snapshot: str
    axes: list[Axis]
    cells: list[Json]
    places: Places
    layout: Layout
    analyses: list[Analysis]


def _networks(directory: Path, snapshot: int | str, *, is_lattice: bool) -> Networks:
    sweep = read_sweep(directory)
    time = _snapshot(snapshot, sweep)
    axes = axes_of(sweep)
    cells = read_cells(directory)
    places: Places = places_of(cells, axes, sweep)
    order = in_order(cells, axes, places)
    cells = [cells[number] for number in order]
    places = {name: [values[number] for number in order] for name, values in places.items()}
    layout = lattice(cells, axes, places) if is_lattice else row(cells)
    analyses = analyses_of(sweep, cells, field_id(sweep))
    return Networks(directory, sweep, time, axes, cells, places, layout, analyses)


def _with_fields(networks: Networks) -> xr.Dataset:
    directory, sweep, cells, layout = networks.directory, networks.sweep, networks.cells, networks.layout
    results = results_of(cells, networks.snapshot, field_id(sweep), networks.analyses)
    variables = {name: _variable(name, layout, values) for name, values in results.items()}
    coordinates = _coordinates(networks)
    fields = fields_of(directory, sweep, cells, networks.snapshot)
    if fields is not None:
        folders = layout.put([fields.folder(directory, cell["cell"], networks.snapshot) for cell in cells])
        docs = DOCS | plane_docs(sweep["sweep"]["field"])
        for name, array in fields.arrays.items():
            lazy = LazyArrays(folders, name, array.shape, array.dtype)
            variables[name] = _lazy_variable(lazy, layout, array.dims, array.attributes)
        coordinates |= {name: xr.Variable((name,), values, docs[name]) for name, values in fields.coordinates.items()}
    return xr.Dataset(variables, coords=coordinates, attrs=_attributes(networks))


def _with_analysis(networks: Networks, analysis: Analysis) -> xr.Dataset:
    cells, layout = networks.cells, networks.layout
    columns = analysis_of(cells, networks.snapshot, analysis)
    variables = {name: _variable(name, layout, values) for name, values in columns.items()}
    coordinates = _coordinates(networks)
    arrays, found = results_in(networks.directory, cells, networks.snapshot, analysis)
    folders = layout.put(found)
    for name, array in arrays.items():
        lazy = LazyArrays(folders, name, array.shape, np.float32)
        free = f"{name}_" if name in coordinates else name  # an axis may be called so, as training.loss
        variables[free] = _lazy_variable(lazy, layout, array.dims, array.attributes)
    coordinates |= {name: xr.Variable((name,), values, DOCS.get(name)) for name, values in labels_of(arrays).items()}
    attributes = {"analysis": analysis.label, "options": canonical(analysis.options)}
    return xr.Dataset(variables, coords=coordinates, attrs=_attributes(networks) | attributes)


def _attributes(networks: Networks) -> dict[str, Any]:
    return {
        "title": networks.sweep["sweep"]["name"],
        "source": f"ftle-sweeper {networks.sweep.get('version', '')}",
        "engine": networks.sweep.get("engine", ""),
        "axes": [axis.name for axis in networks.axes],
    }


def _snapshot(snapshot: int | str, sweep: Json) -> str:
    """As it stands in the names of files."""
    stored = [str(one) for one in (sweep["sweep"].get("training") or {}).get("snapshots", ["end"])]
    if str(snapshot) not in stored:
        raise ValueError(f"expected a snapshot of the sweep, one of {', '.join(stored)}; got {snapshot!r}")
    return str(snapshot)


def _coordinates(networks: Networks) -> dict[str, xr.Variable]:
    cells, axes, layout = networks.cells, networks.axes, networks.layout
    columns: dict[str, Sequence[Value | None]] = {
        "cell": [cell["cell"] for cell in cells],
        **networks.places,
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
    return found | {"snapshot": xr.Variable((), networks.snapshot, DOCS["snapshot"])}


def _docs(axis: Axis) -> dict[str, str]:
    return DOCS.get(axis.name, {}) if axis.path is None else {"long_name": axis.path}


def _variable(name: str, layout: Layout, values: Sequence[Value | None]) -> xr.Variable:
    return xr.Variable(layout.dims, layout.put(values), DOCS.get(name))


def _lazy_variable(lazy: LazyArrays, layout: Layout, dims: tuple[str, ...], attributes: Json) -> xr.Variable:
    chunks = dict.fromkeys(layout.dims, 1) | {dim: max(1, size) for dim, size in zip(dims, lazy.inner, strict=True)}
    return xr.Variable(
        (*layout.dims, *dims),
        indexing.LazilyIndexedArray(lazy),
        attributes,
        {"preferred_chunks": chunks, "dtype": lazy.dtype},
    )
