"""ds.ftle.plot: what is in the figure."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ftle

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed() -> Any:
    yield
    plt.close("all")


def panels(figure: Any) -> list[Any]:
    return [axes for axes in figure.axes if axes.images]


def texts(figure: Any) -> tuple[str, list[str], list[str]]:
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    rows = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel() and axes.get_label() != "<colorbar>"]
    return figure.get_suptitle(), rows, titles


@pytest.mark.parametrize("lattice", [False, True])
def test_networks_beside_networks(many: Path, lattice: bool) -> None:
    ds = ftle.open(many, lattice=lattice)
    figure = ds.ftle.plot(only={"seed": 4})
    title, rows, columns = texts(figure)
    assert title == "many · seed 4"
    assert rows == [f"N = {width}" for width in range(2, 12)] and columns == ["L = 1", "L = 2"]
    assert len(panels(figure)) == 20
    networks = ftle.open(many)
    one = networks.isel(cell=int(np.flatnonzero((networks.width == 3) & (networks.depth == 2) & (networks.seed == 4))[0]))
    image = panels(figure)[3].images[0]
    np.testing.assert_array_equal(image.get_array(), 2 * one.lambda1)
    assert image.get_clim()[0] == -image.get_clim()[1]
    assert panels(figure)[3].texts[0].get_text() == f"{100 * float(one.testAccuracy):.1f} %"
    figure.canvas.draw()


def test_the_first_of_other_axes_is_named_in_the_title(rates: Path) -> None:
    figure = ftle.open(rates).ftle.plot(layer=1, quantity="lambda1", limit=0.5, directions=True)
    title, rows, columns = texts(figure)
    assert title == "rates · ln(GNσ_w²) = −0.5 · activation tanh · batch = 20 · seed 3"
    assert (rows, columns) == (["N = 4", "N = 8"], ["L = 1", "L = 3"])
    assert len(panels(figure)) == 2, "with seed 3 there are no networks of N = 8"
    assert panels(figure)[0].images[0].get_clim() == (-0.5, 0.5)


def test_any_coordinates_make_rows_and_columns(rates: Path) -> None:
    figure = ftle.open(rates).ftle.plot("activation", "batch", only={"width": 4, "seed": 3, "depth": 1})
    title, rows, columns = texts(figure)
    assert rows == ["activation tanh", "activation linear"] and columns == ["batch = 20", "batch = 50"]
    assert "N = 4" in title and "L = 1" in title


def test_boundaries(classes: Path) -> None:
    """Of three classes there are two boundaries, each drawn twice."""
    ds = ftle.open(classes)
    assert set(np.unique(ds.output)) <= {0, 1, 2} and ds.outputs[0] == 3
    with_boundary = ds.ftle.plot()
    without = ds.ftle.plot(boundary=False)
    assert sum(len(axes.collections) for axes in panels(with_boundary)) > 0
    assert sum(len(axes.collections) for axes in panels(without)) == 0
    _, rows, columns = texts(with_boundary)
    assert {"6-4", "8"} in (set(rows), set(columns))


def test_one_network(many: Path) -> None:
    figure = ftle.open(many).isel(cell=3).ftle.plot()
    assert len(panels(figure)) == 1 and texts(figure)[1:] == (["N = 3"], ["L = 2"])


def test_what_is_not_computed_is_blank(many: Path) -> None:
    ds = ftle.open(many).isel(cell=slice(4)).load()
    ds.lambda1[1] = np.nan
    ds["status"] = ds.status.where(ds.cell != ds.cell[2], "diverged")
    figure = ds.ftle.plot()
    notes = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len(panels(figure)) == 2 and "not computed" in notes and "diverged" in notes


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("expected seed to be one of 0, 1, .*; got 99", {"only": {"seed": 99}}),
        ("expected a coordinate of the networks, one of .*width.*; got 'colour'", {"rows": "colour"}),
        ("expected rows and columns to be two coordinates, got 'seed' for both", {"rows": "seed", "columns": "seed"}),
        ("expected fields of all layers", {"layer": 1}),
        ("expected quantity to be one of", {"quantity": "lambda2"}),
    ],
)
def test_refusals(many: Path, message: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        ftle.open(many).ftle.plot(**options)


def test_datasets_of_others_are_refused() -> None:
    import xarray as xr

    with pytest.raises(ValueError, match="expected a dataset of ftle.open with fields"):
        xr.Dataset().ftle.plot()
