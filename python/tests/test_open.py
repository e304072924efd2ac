"""ftle.open: what is in the dataset."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from conftest import MANY, PLANES, make, run_program

import ftle

Copy = Callable[[Path], Path]


@pytest.mark.parametrize("snapshot", [0, "end"])
def test_every_column_of_the_summary(rates: Path, snapshot: int | str) -> None:
    ds = ftle.open(rates, snapshot=snapshot)
    rows = has_summary(ds, rates)
    assert ds.sizes == {"cell": len(rows), "layer": 3, "y": 40, "x": 40}
    assert len(rows) == 48
    assert ds.width.dtype == ds.depth.dtype == ds.seed.dtype == ds.batch.dtype == np.int64
    assert set(ds.coords) >= {"width", "depth", "hidden", "weightVariance", "seed", "batch", "activation", "status"}


@pytest.mark.parametrize("snapshot", [0, "end"])
def test_every_column_of_analyses(planes: Path, snapshot: int | str) -> None:
    rows = has_summary(ftle.open(planes, snapshot=snapshot), planes)
    assert {"exponents-at-train-count-3.mean", "margin-samples-12-step-0.000002.found", "ensemble-at-train.members"} < rows[0].keys()


def has_summary(ds: xr.Dataset, store: Path) -> list[dict[str, str]]:
    """The dataset has what is in ``summary.csv``, whose rows these are."""
    with (store / "summary.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["snapshot"] == ds.snapshot.item()]
    for name in rows[0]:
        written = [row[name] for row in rows]
        if ds[name].dtype.kind == "U":
            assert np.broadcast_to(ds[name].values, len(rows)).tolist() == written, name
        else:
            numbers = [float(one or "nan") for one in written]
            np.testing.assert_allclose(ds[name], numbers, rtol=1e-12, atol=1e-15, err_msg=name)
    return rows


@pytest.mark.parametrize("store", ["rates", "many", "classes", "planes"])
def test_the_lattice_is_the_exported_one(store: str, request: pytest.FixtureRequest) -> None:
    directory: Path = request.getfixturevalue(store)
    path = json.loads(run_program("export", str(directory), "--format", "zarr", "--json"))["path"]
    exported = xr.open_zarr(path, chunks=None)
    for snapshot in exported.snapshot.values:
        there = exported.sel(snapshot=snapshot)
        ds = ftle.open(directory, snapshot=str(snapshot), lattice=True)
        assert ds.lambda1.dims == there.lambda1.dims
        assert set(there.variables) - set(ds.variables) == set()
        for name in there.variables:
            if ds[name].dims == there[name].dims:
                np.testing.assert_array_equal(ds[name], there[name], err_msg=str(name))
            else:  # what follows from some of the axes is exported over those alone
                mine, theirs, cell = xr.broadcast(ds[name], there[name], ds.cell)
                np.testing.assert_allclose(mine.where(cell != ""), theirs.where(cell != ""), rtol=1e-12)


def test_a_constrained_lattice_has_empty_places(rates: Path) -> None:
    ds = ftle.open(rates, lattice=True)
    assert dict(ds.sizes) == {
        **{"logGain": 2, "seed": 2, "batch": 2, "activation": 2, "width": 2, "depth": 2},
        **{"layer": 3, "y": 40, "x": 40},
    }
    nowhere = ds.sel(seed=3, width=8)
    assert (nowhere.cell == "").all() and (nowhere.status == "").all()
    assert np.isnan(nowhere.lambda1.values).all() and np.isnan(nowhere.testAccuracy).all()
    shallow = ds.sel(seed=1, depth=1)
    assert np.isnan(shallow.lambda1.sel(layer=[2, 3])).all()
    assert np.isfinite(shallow.lambda1.sel(layer=1)).all()


def test_labels_select_one_network(rates: Path) -> None:
    ds = ftle.open(rates)
    one = ds.sel(cell=ds.cell[7].item())
    cell = json.loads((rates / "cells" / one.cell.item() / "cell.json").read_text())
    assert one.hidden == "-".join(map(str, cell["physics"]["network"]["hidden"]))
    assert one.seed == cell["physics"]["seed"]


@pytest.mark.parametrize(
    "key",
    [
        (3,),
        (slice(2, 9, 3), 0),
        (-1, slice(None), 5, 7),
        ([4, 1, 4], slice(None), slice(None, None, -2)),
        (slice(None, None, -1), [2, 0], [19, 0], slice(3, 17, 5)),
        (slice(0, 0),),
        ([7], [1], [2, 9], [8, 8, 1]),
    ],
)
def test_every_kind_of_index(rates: Path, key: tuple[object, ...]) -> None:
    ds = ftle.open(rates)
    whole = ds.lambda1.values
    dims = dict(zip(ds.lambda1.dims, key, strict=False))
    expected = xr.DataArray(whole, dims=ds.lambda1.dims).isel(dims)
    np.testing.assert_array_equal(ds.lambda1.isel(dims).values, expected.values)


def test_points_by_points_and_masks(rates: Path) -> None:
    ds = ftle.open(rates)
    pick = {"cell": xr.DataArray([0, 5], dims="p"), "x": xr.DataArray([3, 4], dims="p")}
    np.testing.assert_array_equal(ds.output.isel(pick), ds.output.load().isel(pick))
    assert ftle.open(rates).output[(ds.seed == 1).values].sizes["cell"] == int((ds.seed == 1).sum())


def test_fields_are_the_stored_ones(rates: Path) -> None:
    ds = ftle.open(rates, snapshot=0)
    for number in (0, 20, 47):
        one = ds.isel(cell=number)
        folder = next((rates / "cells" / one.cell.item()).glob("field-0-*.zarr"))
        stored = xr.open_zarr(folder, chunks=None)
        for name in ("lambda1", "direction"):
            read = one[name].isel(layer=slice(stored.sizes["layer"]))
            np.testing.assert_array_equal(read, stored[name])
            assert read.attrs == stored[name].attrs
        np.testing.assert_array_equal(one.output, stored.output)
        np.testing.assert_array_equal(one.x, stored.x)


def test_fields_over_planes_have_more_exponents(planes: Path) -> None:
    ds = ftle.open(planes)
    names = ["lambda1", "lambda2", "planeLambda1", "direction", "output"]
    assert [name for name in ds if ds[name].dims == ("cell", "y", "x")] == names
    for number, cell in enumerate(ds.cell.values):
        stored = xr.open_zarr(next((planes / "cells" / cell).glob("field-end-*.zarr")), chunks=None)
        for name in names:
            np.testing.assert_array_equal(ds[name][number], stored[name])
            assert ds[name].attrs == stored[name].attrs
    assert (ds.lambda1 >= ds.planeLambda1 - 1e-5).all() and (ds.lambda1 > ds.lambda2).all()
    assert "first two points" in ds.x.long_name
    np.testing.assert_allclose(ds.x[[0, -1]], [-0.5 + 1 / 24, 1.5 - 1 / 24])


def test_the_plane_tells_fields_apart(planes: Path, copy: Copy) -> None:
    """Of two sweeps in a directory, whose grids are the same but for the plane."""
    store = copy(planes)
    spec = PLANES.replace("{test: 0}", "{test: 1}").partition("analyses:")[0]
    (store.parent / "other.yaml").write_text(spec)
    run_program("run", str(store.parent / "other.yaml"), "--out", str(store), "--no-plot", "--quiet")
    assert len(list((store / "cells").glob("*/field-end-*.zarr"))) == 8
    there, here = ftle.open(planes), ftle.open(store)
    assert (here.cell == there.cell).all() and np.isfinite(here.lambda1).all()
    assert not (here.lambda1 == there.lambda1).any()
    assert not any("." in str(name) for name in here), "it asks for no analyses"


def test_chunks_are_of_dask(rates: Path) -> None:
    pytest.importorskip("dask.array")
    ds = ftle.open(rates, chunks={})
    assert ds.lambda1.chunks is not None and set(ds.lambda1.chunks[0]) == {1}
    np.testing.assert_array_equal(ds.lambda1.compute(), ftle.open(rates).lambda1)


def test_xarray_finds_the_backend_by_its_class(many: Path) -> None:
    from ftle.backend import FtleBackend

    assert FtleBackend().guess_can_open(many) and not FtleBackend().guess_can_open(many / "cells")
    ds = xr.open_dataset(many, engine=FtleBackend, lattice=True, drop_variables=["direction"])
    assert "lambda1" in ds and "direction" not in ds


def test_a_running_sweep(rates: Path, copy: Copy) -> None:
    """Networks in training, trained ones without a field, and a field with some of its tiles."""
    store = copy(rates)
    whole = ftle.open(store)
    training, trained, begun = whole.cell.values[:3]
    (store / "cells" / training / "cell.json").unlink()
    for cell in (trained, begun):
        reseal(store / "cells" / cell / "cell.json", fields=[])
    shutil.rmtree(next((store / "cells" / trained).glob("field-end-*.zarr")))
    tile = next((store / "cells" / begun).glob("field-end-*.zarr/lambda1/c.0.1.2"))
    tile.unlink()

    ds = ftle.open(store)
    assert ds.sizes["cell"] == 47 and training not in ds.cell
    assert np.isnan(ds.sel(cell=trained).lambda1).all() and np.isnan(ds.sel(cell=trained).lambda1Mean)
    partial = ds.sel(cell=begun).lambda1.isel(layer=0)
    assert np.isnan(partial[16:32, 32:]).all()
    assert int(np.isnan(partial).sum()) == 16 * 8
    lattice = ftle.open(store, lattice=True)
    assert int((lattice.cell != "").sum()) == 47


def test_a_sweep_that_has_only_begun(many: Path, copy: Copy) -> None:
    store = copy(many)
    shutil.rmtree(store / "cells")
    assert dict(ftle.open(store).sizes) == {"cell": 0}
    assert ftle.open(store, lattice=True).sizes["width"] == 10


def test_damaged_records_are_left_out(many: Path, copy: Copy) -> None:
    store = copy(many)
    file = next((store / "cells").iterdir()) / "cell.json"
    file.write_text(file.read_text().replace('"seed": ', '"seed": 1'))
    with pytest.warns(UserWarning, match=f"1 of 200 networks are left out.*{file.parent.name}.*ftle resume"):
        assert ftle.open(store).sizes["cell"] == 199


def test_a_damaged_field_is_an_error_where_it_is_read(many: Path, copy: Copy) -> None:
    store = copy(many)
    ds = ftle.open(store)
    tile = next((store / "cells" / ds.cell[3].item()).glob("field-*.zarr/lambda1/c.0.0"))
    content = bytearray(tile.read_bytes())
    content[5] ^= 1
    tile.write_bytes(content)
    assert np.isfinite(ds.lambda1[2]).all() and np.isfinite(ds.output[3]).all()
    with pytest.raises(ftle.FtleError, match=r"cannot read .*lambda1.*ftle resume"):
        ds.lambda1[3].load()


def test_no_links_are_needed_to_read_fields(many: Path, tmp_path: Path) -> None:
    """As in stores on file systems without links, and in copies of them."""
    shutil.copytree(many, tmp_path / "plain", symlinks=False)
    shutil.rmtree(tmp_path / "plain" / "grids")
    xr.testing.assert_identical(ftle.open(tmp_path / "plain").load(), ftle.open(many).load())


def test_other_formats_and_folders_are_refused(many: Path, copy: Copy, tmp_path: Path) -> None:
    store = copy(many)
    reseal(store / "sweep.json", format=2)
    with pytest.raises(ftle.FtleError, match="expected a store of format 1, found format 2"):
        ftle.open(store)
    (store / "sweep.json").write_text("{}")
    with pytest.raises(ftle.FtleError, match=r"sweep.json is damaged; `ftle resume"):
        ftle.open(store)
    with pytest.raises(FileNotFoundError, match=r"expected the directory of a sweep"):
        ftle.open(tmp_path)
    with pytest.raises(ValueError, match="expected a snapshot of the sweep, one of end; got 5"):
        ftle.open(many, snapshot=5)


def test_two_sweeps_in_one_directory(tmp_path: Path) -> None:
    first = MANY.replace("2..11", "[2, 3]").replace("count: 10", "count: 2")
    make(tmp_path, first)
    store = make(tmp_path, first.replace("points: 8", "points: 12").replace("depth: 1..2", "depth: 2..3"))
    ds = ftle.open(store)
    assert ds.sizes["cell"] == 12 and ds.sizes["x"] == 12, "all networks, and the fields of the last sweep"
    assert ds.depth.values.tolist()[-4:] == [1] * 4, "those of another sweep are last"
    assert np.isnan(ds.lambda1.where(ds.depth == 1, drop=True)).all()
    assert dict(ftle.open(store, lattice=True).cell.sizes) == {"logGain": 1, "seed": 2, "width": 2, "depth": 2}

    make(tmp_path, first.replace("epochs: 1", "epochs: 2"))
    assert ftle.open(store).sizes["cell"] == 20
    with pytest.raises(ValueError, match=r"expected one network at logGain=0.0, seed=0, .*differ in training.epochs;"):
        ftle.open(store, lattice=True)


def reseal(file: Path, **changes: object) -> None:
    """Changes a record as only the program should."""
    content = json.loads(file.read_text()) | changes
    del content["sha256"]
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    content["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
