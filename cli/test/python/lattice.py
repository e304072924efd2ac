"""lattice.py LATTICE.zarr DIRECTORY: compares an exported lattice with the fields it is made of."""

import json
import sys

import numpy as np
import xarray as xr
from stored_sweep import stored_fields

lattice, directory = sys.argv[1:]
dataset = xr.open_zarr(lattice)
fields = stored_fields(directory)

of_cell = dataset.cell.dims
for name, variable in dataset.data_vars.items():
    assert np.issubdtype(variable.dtype, np.floating), name
assert dataset.lambda1.dims[: len(of_cell) + 1] == (*of_cell, "snapshot")
assert dataset.lambda1.dims[-2:] == ("y", "x")
assert dataset.output.dims == (*of_cell, "snapshot", "y", "x")

ids = {field.record["cell"] for field in fields}
named = dataset.cell.values[dataset.cell.values != ""]
assert sorted(named) == sorted(ids)

for field in fields:
    physics = field.record["physics"]
    cell = field.record["cell"]
    explicit = "hidden" in dataset.dims
    shape = (
        {"hidden": "-".join(map(str, field.hidden))}
        if explicit
        else {"width": field.hidden[0], "depth": len(field.hidden)}
    )
    training = physics["training"]
    varied = {
        "batch": training["batch"],
        "optimizer": training["optimizer"]["name"],
        "activation": physics["network"]["activation"],
    }
    shape |= {name: value for name, value in varied.items() if name in dataset.dims}
    # One value of the variance's axis is left: the one that this network has.
    there = dataset.sel(seed=physics["seed"], snapshot=field.snapshot, **shape)
    (index,) = np.flatnonzero(there.cell.values == cell)
    there = there.isel({of_cell[0]: index}).load()

    stored = xr.open_zarr(field.zarr).load()
    depth = len(field.hidden)
    for name in ["lambda1", "direction", "output"]:
        exported = there[name]
        if "layer" in exported.dims:
            assert np.isnan(exported.sel(layer=slice(depth + 1, None))).all()
            exported = exported.sel(layer=slice(1, depth))
        np.testing.assert_array_equal(exported, stored[name])
        assert exported.attrs["long_name"] == stored[name].attrs["long_name"]
    np.testing.assert_array_equal(there.x, stored.x)
    np.testing.assert_array_equal(there.y, stored.y)
    np.testing.assert_allclose(there.weightVariance, physics["initialisation"]["weightVariance"])
    assert there.width == max(field.hidden) and there.depth == depth
    assert there.status == field.record["status"]
    epoch = int(there.epoch)
    assert there.testAccuracy == field.record["history"]["testAccuracy"][epoch]

nowhere = (dataset.cell == "").load()
assert np.isnan(dataset.lambda1.where(nowhere)).all()
assert np.isnan(dataset.testAccuracy.where(nowhere)).all()

# What people do with it.
trained = dataset.where(dataset.status == "trained").mean("seed")
assert trained.testAccuracy.dims == (*(d for d in of_cell if d != "seed"), "snapshot")
assert np.isfinite(trained.lambda1.sel(snapshot="end").max())

print(json.dumps({"sizes": dict(dataset.sizes), "empty": int(nowhere.sum())}))
