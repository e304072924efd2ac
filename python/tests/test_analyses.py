"""ftle.analysis and ftle.analyse: what analyses have found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from conftest import make, run_program

import ftle
from ftle.analyses import DEFAULTS
from ftle.identity import canonical

Copy = Callable[[Path], Path]

LABELS = [
    *("exponents", "exponents-at-train-count-3", "margin-samples-12-step-0.000002", "predictions", "predictions-at-train", "ridges"),
    *("ridges-percentile-90-smoothing-0.75", "weights", "ensemble", "ensemble-at-train"),
]


def test_defaults_are_those_of_the_program() -> None:
    listed = json.loads(run_program("analyses", "--json"))
    defaults = {one["name"]: {name: rule["default"] for name, rule in one["options"].items()} for one in listed}
    assert defaults == DEFAULTS, "src/ftle/analyses.py names these, for labels as in summary.csv"
    assert all(one["version"] <= 32 for one in listed)


@pytest.mark.parametrize(
    "value, text",
    [
        ({"b": [1, 2.5, -0.0], "a": {"y": True, "x": None}}, '{"a":{"x":null,"y":true},"b":[1,2.5,0]}'),
        ([80.0, 1e20, 1e21, 1.5e300], "[80,100000000000000000000,1e+21,1.5e+300]"),
        ([0.000001, 1e-7, -2.5e-10, 0.1], "[0.000001,1e-7,-2.5e-10,0.1]"),
        (["é\n", 12], '["é\\n",12]'),
    ],
)
def test_canonical_json(value: object, text: str) -> None:
    assert canonical(value) == text


@pytest.mark.parametrize("snapshot", [0, "end"])
@pytest.mark.parametrize("label", LABELS)
def test_arrays_are_the_stored_ones(planes: Path, label: str, snapshot: int | str) -> None:
    ds = ftle.analysis(planes, label, snapshot=snapshot)
    assert ds.analysis == label and ds.sizes["cell"] == 4
    name, options = label.partition("-")[0], json.loads(ds.options)
    for number, cell in enumerate(ds.cell.values):
        groups = (planes / "cells" / cell).glob(f"{name}-{snapshot}-*.zarr")
        (stored,) = (one for one in map(_opened, groups) if one.options == options)
        assert stored.cell == cell and {str(one) for one in ds if "." not in str(one)} == set(stored.variables)
        for array in stored.variables:
            read = ds[array][number]
            assert read.dims == stored[array].dims and read.dtype == np.float32 and read.attrs == stored[array].attrs
            there = read.isel({dim: slice(size) for dim, size in stored[array].sizes.items()})
            np.testing.assert_array_equal(there, stored[array])
            assert int(read.notnull().sum()) == int(stored[array].notnull().sum()), "the rest is NaN"
    everything = ftle.open(planes, snapshot=snapshot)
    columns = [one for one in everything if str(one).startswith(f"{label}.")]
    assert columns == [one for one in ds if "." in str(one)]
    for one in [*columns, "seed", "depth", "status", "logGain", "hidden"]:
        np.testing.assert_array_equal(ds[one], everything[one])


def test_what_is_known_of_the_networks(planes: Path) -> None:
    """Arrays and columns belong together, cell by cell."""
    exponents = ftle.analysis(planes, "exponents", options={"at": "train"})
    assert exponents["lambda"].dims == ("cell", "sample", "exponent")
    assert exponents.exponent.values.tolist() == [1, 2, 3]
    mean = exponents["lambda"].sel(exponent=1).mean("sample")
    np.testing.assert_allclose(mean, exponents["exponents-at-train-count-3.mean"], rtol=1e-5)
    predictions = ftle.analysis(planes, "predictions")
    np.testing.assert_allclose(predictions.loss.mean("sample"), predictions["predictions.loss"], rtol=1e-6)
    np.testing.assert_allclose(predictions["predictions.loss"], ftle.open(planes).testLoss, rtol=1e-6)
    ensemble = ftle.analysis(planes, "ensemble")
    for depth in (1, 3):
        mean = predictions.output.isel(cell=(predictions.depth == depth).values).mean("cell")
        here = ensemble.output.isel(cell=(ensemble.depth == depth).values)
        for one in here:
            np.testing.assert_allclose(one, mean, atol=1e-6)
    weights = ftle.analysis(planes, "weights")
    assert weights.layer.values.tolist() == [1, 2, 3, 4]
    assert np.isnan(weights.norm.where(weights.depth == 1, drop=True).sel(layer=[3, 4])).all()
    ridges = ftle.analysis(planes, "ridges")
    assert ridges.coordinate.values.tolist() == ["x", "y"]
    assert ridges["ridges.lines"].values.tolist() == (ridges.line.max("vertex").fillna(-1) + 1).values.tolist()
    assert len(set(ridges.line.count("vertex").values.tolist())) > 1, "they are ragged"


@pytest.mark.parametrize(
    "key",
    [
        {"cell": 1},
        {"vertex": -1},
        {"cell": [3, 0], "vertex": slice(40, 2, -3), "coordinate": 1},
        {"cell": 0, "vertex": 2, "coordinate": [1, 0]},
        {"vertex": [0, 8, 0], "coordinate": slice(None, None, -1)},
        {"cell": slice(0, 0)},
    ],
)
def test_every_kind_of_index(planes: Path, key: dict[str, object]) -> None:
    vertices = ftle.analysis(planes, "ridges").vertices
    np.testing.assert_array_equal(vertices.isel(key), vertices.load().isel(key))


def test_lattices_and_chunks(planes: Path) -> None:
    ds = ftle.analysis(planes, "ridges")
    lattice = ftle.analysis(planes, "ridges", lattice=True)
    assert lattice.vertices.dims == ("logGain", "seed", "width", "depth", "vertex", "coordinate")
    one = ds.isel(cell=((ds.seed == 1) & (ds.depth == 3)).values).squeeze()
    np.testing.assert_array_equal(lattice.vertices.sel(seed=1, depth=3).squeeze(), one.vertices)
    pytest.importorskip("dask.array")
    chunked = ftle.analysis(planes, "ridges", chunks={})
    assert set(chunked.vertices.chunks[0]) == {1}
    np.testing.assert_array_equal(chunked.vertices.compute(), ds.vertices)


def test_which_one_is_meant(planes: Path) -> None:
    def label(name: str, **options: object) -> str:
        return str(ftle.analysis(planes, name, options=options).analysis)

    assert label("exponents") == "exponents" and label("exponents", count=3) == "exponents-at-train-count-3"
    assert label("margin", samples=12) == label("margin") == "margin-samples-12-step-0.000002"
    assert label("ridges", percentile=80) == label("ridges", minimumLength=4) == "ridges"
    assert label("ridges", smoothing=0.75) == label("ridges-percentile-90-smoothing-0.75")
    with pytest.raises(ValueError, match=r"the sweep, which has exponents, .*; got exponents with at=both. `ftle.ana"):
        label("exponents", at="both")
    with pytest.raises(ValueError, match="got layers"):
        label("layers")


def test_another_one_is_computed_and_opened(planes: Path, copy: Copy) -> None:
    store = copy(planes)
    lines: list[str] = []
    ds = ftle.analyse(store, "exponents", {"count": np.int64(1), "at": "train"}, threads=1, progress=lines.append)
    assert ds.analysis == "exponents-at-train-count-1" and ds["lambda"].shape == (4, 180, 1)
    np.testing.assert_allclose(ds["lambda"][..., 0], ftle.analysis(planes, LABELS[1])["lambda"][..., 0], atol=1e-4)
    assert lines and "exponents-at-train-count-1.mean" in ftle.open(store)
    again = ftle.analyse(store, "exponents", {"count": 1, "at": "train"}, progress=False)
    xr.testing.assert_identical(again.load(), ds.load())
    with pytest.raises(ftle.FtleError, match="layers") as caught:
        ftle.analyse(store, "layers", progress=False)
    assert caught.value.code == 2


def test_with_more_seeds_an_ensemble_is_another_one(planes: Path, copy: Copy) -> None:
    store = copy(planes)
    spec = (store / "sweep.yaml").read_text()
    for seeds, members in (("[3, 1, 0]", [3] * 6), ("[3, 1]", [2] * 4 + [np.nan] * 2)):
        (store.parent / "spec.yaml").write_text(spec.replace("seed: [3, 1]", f"seed: {seeds}"))
        run_program("run", str(store.parent / "spec.yaml"), "--out", str(store), "--no-plot", "--quiet")
        ds = ftle.analysis(store, "ensemble")
        np.testing.assert_array_equal(ds["ensemble.members"], members)
        assert np.isfinite(ds.output).all(("sample", "class")).values.tolist() == np.isfinite(members).tolist()


def test_damaged_results(planes: Path, copy: Copy) -> None:
    store = copy(planes)
    ds = ftle.analysis(store, "weights")
    first, second = ds.cell.values[:2]
    (chunk,) = (store / "cells" / first).glob("weights-end-*.zarr/norm/c.0")
    content = bytearray(chunk.read_bytes())
    content[1] ^= 1
    chunk.write_bytes(content)
    assert np.isfinite(ds.norm[1]).all() and np.isfinite(ds.effectiveRank[0]).any()
    with pytest.raises(ftle.FtleError, match=r"cannot read .*norm.*ftle resume"):
        ds.norm[0].load()
    (metadata,) = (store / "cells" / second).glob("weights-end-*.zarr/zarr.json")
    metadata.write_text(metadata.read_text().replace('"shape"', '"shaqe"'))
    with pytest.warns(UserWarning, match=f"weights of 1 of 4 networks is left out.*{second}.*ftle resume"):
        left = ftle.analysis(store, "weights")
    assert np.isnan(left.norm[1]).all() and np.isfinite(left["weights.norm"]).all()


def test_a_sweep_that_has_only_begun(planes: Path, copy: Copy) -> None:
    store = copy(planes)
    shutil.rmtree(store / "cells")
    assert dict(ftle.analysis(store, "ridges").sizes) == {"cell": 0}
    assert dict(ftle.analysis(store, "ensemble", lattice=True).sizes)["seed"] == 2


def test_names_that_axes_have(tmp_path: Path) -> None:
    store = make(
        tmp_path,
        "axes: {width: 4, depth: 1, training.loss: [squared-error, binary-cross-entropy]}\n"
        "data: {name: circle, samples: 60}\ntraining: {epochs: 1}\nfield: none\nanalyses: [predictions]\n",
    )
    ds = ftle.analysis(store, "predictions")
    assert ds.loss.values.tolist() == ["squared-error", "binary-cross-entropy"]
    np.testing.assert_allclose(ds.loss_.mean("sample"), ds["predictions.loss"], rtol=1e-6)
    with pytest.raises(ValueError, match="expected a dataset of ftle.open with fields"):
        ds.ftle.plot()


def _opened(folder: Path) -> xr.Dataset:
    return xr.open_zarr(folder, chunks=None)
