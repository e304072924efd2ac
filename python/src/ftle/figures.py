"""Lattices of fields, in the manner of Fig. 2 of Storm et al., Phys. Rev. Lett. 132, 057301 (2024)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]

_TITLES = {"L*lambda1": "L λ₁", "lambda1": "λ₁", "output": "output"}
_INK = "#222222"


@dataclass(frozen=True)
class Style:
    """What of the fields is drawn; see :meth:`ftle.FtleAccessor.plot`."""

    quantity: Literal["L*lambda1", "lambda1", "output"]
    boundary: bool
    directions: bool
    limit: float | Literal["auto"]
    layer: int | None


@dataclass(frozen=True)
class Panel:
    """One network. Arrays are [y, x]; `values` is None where there is nothing to show, and `note` says why."""

    row: int
    column: int
    values: Array | None
    output: Array | None
    direction: Array | None
    label: str
    note: str


def draw(
    dataset: xr.Dataset, *, rows: str | None, columns: str | None, only: Mapping[str, Any], style: Style
) -> "Figure":
    """Draws one panel for each network that `only` and the first values of the other axes leave."""
    _refuse_unknown(dataset, style)
    networks = _networks(dataset)
    networks = _with_values(networks, only)
    axes = _axes(dataset)
    rows, columns = _sides(networks, axes, rows, columns)
    row_values, column_values = _values(networks, rows), _values(networks, columns)
    fixed = {}
    for axis in axes:
        values = _values(networks, axis)
        if axis in (rows, columns) or len(values) < 2 or _follows(networks, axis, (rows, columns)):
            continue
        fixed[axis] = values[0]
        networks = [one for one in networks if one.coords[axis].item() == values[0]]
    panels = [
        _panel(one, row_values.index(one[rows].item()), column_values.index(one[columns].item()), style)
        for one in networks
    ]
    shown = {**fixed, **{axis: value for axis, value in only.items() if axis not in (rows, columns)}}
    title = " · ".join([str(dataset.attrs.get("title", "")), *(axis_label(*item) for item in shown.items())])
    return _figure(
        panels,
        rows=[axis_label(rows, value) for value in row_values],
        columns=[axis_label(columns, value) for value in column_values],
        title=title.strip(" ·"),
        plane=(dataset["x"].values, dataset["y"].values),
        style=style,
    )


def axis_label(axis: str, value: Any) -> str:
    """A value with its axis, as in the figures of ``ftle plot``."""
    text = f"{value:.4g}".replace("-", "−") if isinstance(value, float) else str(value)
    match axis:
        case "width":
            return f"N = {text}"
        case "depth":
            return f"L = {text}"
        case "hidden":
            return text
        case "weightVariance":
            return f"σ_w² = {text}"
        case "logGain":
            return "critical" if value == 0 else f"ln(GNσ_w²) = {text}"
        case _:
            return f"{axis} {text}" if isinstance(value, str) or axis == "seed" else f"{axis} = {text}"


def nice_limit(magnitudes: Array) -> float:
    """The 99.5 % quantile, rounded up to a round number."""
    if magnitudes.size == 0:
        return 1.0
    quantile = float(np.sort(magnitudes)[int(0.995 * (magnitudes.size - 1))])
    if quantile == 0:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(quantile))
    steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]
    return float(decade * next((step for step in steps if step * decade >= quantile), 10))


def _refuse_unknown(dataset: xr.Dataset, style: Style) -> None:
    if style.quantity not in _TITLES:
        raise ValueError(f"expected quantity to be one of {', '.join(_TITLES)}; got {style.quantity!r}")
    if "lambda1" not in dataset or "x" not in dataset["lambda1"].dims or "cell" not in dataset.coords:
        raise ValueError("expected a dataset of ftle.open with fields, found none in it")
    if style.layer is not None and "layer" not in dataset.dims:
        raise ValueError("expected fields of all layers for `layer`, found those of the last")


def _networks(dataset: xr.Dataset) -> list[xr.Dataset]:
    """Each network's part, in order; nothing is read."""
    dims = dataset["cell"].dims
    sizes = [dataset.sizes[dim] for dim in dims]
    places = [dict(zip(dims, place, strict=True)) for place in np.ndindex(*sizes)]
    ids = dataset["cell"].values
    return [dataset.isel(place) for place in places if ids[tuple(place.values())] != ""]


def _with_values(networks: list[xr.Dataset], only: Mapping[str, Any]) -> list[xr.Dataset]:
    for axis, value in only.items():
        found = _values(networks, axis)
        networks = [one for one in networks if one.coords[axis].item() == value]
        if not networks:
            raise ValueError(f"expected {axis} to be one of {', '.join(map(str, found))}; got {value!r}")
    if not networks:
        raise ValueError("expected networks in the dataset, found none")
    return networks


def _axes(dataset: xr.Dataset) -> list[str]:
    """The sweep's, in the order in which they become rows and columns if width and depth do not vary."""
    axes = [axis for axis in dataset.attrs.get("axes", []) if axis in dataset.coords]
    first = [axis for axis in ("width", "depth", "hidden") if axis in axes]
    return [*first, *(axis for axis in axes if axis not in first and axis != "seed"), "seed"]


def _sides(
    networks: Sequence[xr.Dataset], axes: Sequence[str], rows: str | None, columns: str | None
) -> tuple[str, str]:
    for axis in (rows, columns):
        if axis is not None:
            _values(networks, axis)
    if rows is not None and rows == columns:
        raise ValueError(f"expected rows and columns to be two coordinates, got {rows!r} for both")
    varying = [axis for axis in axes if len(_values(networks, axis)) > 1]
    is_lattice = "width" in varying or "depth" in varying
    choices = ["width", "depth"] if is_lattice else [*varying, "width", "depth"]
    row = rows or next(axis for axis in choices if axis != columns)
    return row, columns or next(axis for axis in choices if axis != row)


def _values(networks: Sequence[xr.Dataset], axis: str) -> list[Any]:
    """Each once, in the order in which they come."""
    if axis not in networks[0].coords or networks[0].coords[axis].ndim > 0:
        names = [str(name) for name, one in networks[0].coords.items() if one.ndim == 0]
        raise ValueError(f"expected a coordinate of the networks, one of {', '.join(names)}; got {axis!r}")
    return list(dict.fromkeys(one.coords[axis].item() for one in networks))


def _follows(networks: Sequence[xr.Dataset], axis: str, others: tuple[str, str]) -> bool:
    """Whether the others' values determine this one's, as widths do critical variances."""
    places = {(*(one.coords[other].item() for other in others), one.coords[axis].item()) for one in networks}
    return len(places) == len({place[:2] for place in places})


def _panel(network: xr.Dataset, row: int, column: int, style: Style) -> Panel:
    def read(name: str) -> Array:
        array = network[name]
        if "layer" in array.dims:
            array = array.sel(layer=style.layer or int(network["depth"]))
        return np.asarray(array.values)

    status = str(network.coords["status"].item()) if "status" in network.coords else ""
    values = read("output" if style.quantity == "output" else "lambda1")
    is_shown = status != "diverged" and bool(np.isfinite(values).any())
    if not is_shown:
        note = "diverged" if status == "diverged" else "not computed"
        return Panel(row, column, None, None, None, _accuracy(network), note)
    if style.quantity == "L*lambda1":
        values = values * (style.layer or int(network["depth"]))
    output = _decision(network, read("output")) if style.boundary else None
    direction = read("direction") if style.directions else None
    return Panel(row, column, values, output, direction, _accuracy(network), "")


def _decision(network: xr.Dataset, output: Array) -> Array:
    """[boundaries, y, x], each 0 on a decision boundary: of several classes, where one of them begins."""
    outputs = float(network.coords["outputs"].item()) if "outputs" in network.coords else 1
    if outputs <= 2:
        return output[np.newaxis]
    labels = np.arange(int(outputs) - 1)[:, np.newaxis, np.newaxis]
    return np.where(np.isnan(output), np.nan, np.where(output == labels, 1.0, -1.0))


def _accuracy(network: xr.Dataset) -> str:
    value = float(network["testAccuracy"]) if "testAccuracy" in network else np.nan
    return f"{100 * value:.1f} %" if np.isfinite(value) else ""


def _figure(
    panels: Sequence[Panel],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    plane: tuple[Array, Array],
    style: Style,
) -> "Figure":
    import matplotlib.pyplot as plt

    x, y = plane
    left, right, low, high = *_edges(x), *_edges(y)
    finite = [np.abs(one.values[np.isfinite(one.values)]) for one in panels if one.values is not None]
    magnitudes = np.concatenate(finite) if finite else np.zeros(0)
    limit = nice_limit(magnitudes) if style.limit == "auto" else float(style.limit)
    # Inches; as the program's figures: panels true to scale that shrink as the lattice grows.
    side = max(0.75, min(3.0, 8.2 / max(len(rows), len(columns))))
    aspect = (high - low) / (right - left)
    width, height = side * min(1, 1 / aspect), side * min(1, aspect)
    grid: Any
    figure, grid = plt.subplots(
        len(rows),
        len(columns),
        squeeze=False,
        sharex=True,
        sharey=True,
        figsize=(len(columns) * (width + 0.1) + 1.9, len(rows) * (height + 0.1) + 1.1),
        layout="compressed",
    )
    for place in np.ndindex(grid.shape):
        grid[place].set_frame_on(False)
        grid[place].tick_params(left=False, bottom=False, labelsize=8)
    image = None
    colours = plt.get_cmap("RdBu_r").with_extremes(bad="#cccccc")
    for panel in panels:
        axes = grid[panel.row, panel.column]
        axes.set(frame_on=True, xlim=(left, right), ylim=(low, high))
        axes.tick_params(color=_INK, left=panel.column == 0, bottom=panel.row == len(rows) - 1)
        if panel.values is None:
            _blank(axes, panel.note)
        else:
            image = axes.imshow(
                panel.values,
                origin="lower",
                extent=(left, right, low, high),
                aspect="auto" if side * min(aspect, 1 / aspect) < 0.5 else "equal",
                cmap=colours,
                vmin=-limit,
                vmax=limit,
            )
            _lines(axes, panel, plane, side)
        _corner(axes, panel.label, side)
    for row, label in enumerate(rows):
        grid[row, 0].set_ylabel(label, fontsize=10)
    for column, label in enumerate(columns):
        grid[0, column].set_title(label, fontsize=10)
    figure.supxlabel("x", fontsize=10)
    figure.supylabel("y", fontsize=10)
    if title:
        figure.suptitle(title, fontsize=12)
    if image is not None:
        is_cut = magnitudes.size > 0 and magnitudes.max() > limit
        bar = figure.colorbar(image, ax=grid, extend="both" if is_cut else "neither", aspect=40, pad=0.02)
        bar.set_label(_TITLES[style.quantity])
        bar.set_ticks([part * limit for part in (-1, -0.5, 0, 0.5, 1)])
    return figure


def _edges(centres: Array) -> tuple[float, float]:
    half = float(centres[-1] - centres[0]) / (len(centres) - 1) / 2 if len(centres) > 1 else 0.5
    return float(centres[0]) - half, float(centres[-1]) + half


def _blank(axes: Any, note: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((0, 0), 1, 1, transform=axes.transAxes, facecolor="#f6f6f6", edgecolor="#e2e2e2", hatch="//")
    )
    axes.text(0.5, 0.5, note, transform=axes.transAxes, ha="center", va="center", fontsize=8)


def _lines(axes: Any, panel: Panel, plane: tuple[Array, Array], side: float) -> None:
    weight = 0.7 if side < 1.2 else 1.0
    if panel.direction is not None:
        _ticks(axes, panel.direction, plane, min(16, max(1, int(side * 100 / 9))), 0.7 * weight)
    for output in panel.output if panel.output is not None else ():
        if np.nanmin(output) < 0 < np.nanmax(output):
            axes.contour(*plane, output, levels=[0], colors="white", linewidths=2.2 * weight)
            axes.contour(*plane, output, levels=[0], colors="black", linewidths=1.1 * weight, linestyles="solid")


def _ticks(axes: Any, direction: Array, plane: tuple[Array, Array], count: int, weight: float) -> None:
    """Lines along the mean directions of blocks; a line has no sign, so that the doubled angles have a mean."""
    from matplotlib.collections import LineCollection

    x, y = plane
    count = min(count, len(x))
    edges = np.linspace(0, len(x), count + 1).astype(int)
    (left, right), (low, high) = _edges(x), _edges(y)
    reach = np.array([right - left, high - low]) / count
    lines = []
    for row in range(count):
        for column in range(count):
            block = direction[edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
            mean = np.nanmean(np.exp(2j * block)) if np.isfinite(block).any() else np.nan
            if not np.isfinite(mean):
                continue
            angle = np.angle(mean) / 2
            centre = np.array([left, low]) + reach * [column + 0.5, row + 0.5]
            step = 0.38 * reach.min() * np.array([np.cos(angle), np.sin(angle)])
            lines.append([centre - step, centre + step])
    axes.add_collection(LineCollection(lines, colors="black", linewidths=weight))


def _corner(axes: Any, label: str, side: float) -> None:
    if label:
        box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5}
        size = 6 if side < 1.2 else 8
        axes.text(0.985, 0.975, label, transform=axes.transAxes, ha="right", va="top", fontsize=size, bbox=box)
