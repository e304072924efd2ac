"""tables.py CELLS.csv CELLS.parquet POINTS.csv POINTS.parquet DIRECTORY: compares exported tables."""

import sys

import numpy as np
import pandas as pd
import xarray as xr
from stored_sweep import stored_fields

cells_csv, cells_parquet, points_csv, points_parquet, directory = sys.argv[1:]


def same_table(csv: str, parquet: str) -> pd.DataFrame:
    """Reads both; a CSV has no types, so it is read with those of the Parquet."""
    table = pd.read_parquet(parquet)
    types = table.dtypes.to_dict()
    again = pd.read_csv(csv, dtype=types)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    return table


cells = same_table(cells_csv, cells_parquet)
fields = stored_fields(directory)
assert len(cells) == len(fields)
for name in ["width", "depth", "seed", "epoch", "notFinite"]:
    assert cells[name].dtype == np.int64, name
for name in ["weightVariance", "logGain", "trainLoss", "testAccuracy", "lambda1Mean"]:
    assert cells[name].dtype == np.float64, name
assert set(cells.snapshot) == {"0", "end"}

points = same_table(points_csv, points_parquet)
assert points.lambda1.dtype == np.float32
by_field = dict(iter(points.groupby(["cell", "snapshot"])))
assert len(by_field) == len(fields)
for field in fields:
    rows = by_field[field.record["cell"], field.snapshot]
    dataset = xr.open_zarr(field.zarr).load()
    keys = ["layer", "y", "x"] if "layer" in dataset.dims else ["y", "x"]
    table = rows.set_index(keys)[["lambda1", "direction", "output"]].to_xarray()
    for name in table.data_vars:
        np.testing.assert_array_equal(table[name], dataset[name].broadcast_like(table[name]))
    assert (rows.seed == field.record["physics"]["seed"]).all()
    mean = cells[(cells.cell == field.record["cell"]) & (cells.snapshot == field.snapshot)]
    last = rows[rows.layer == rows.layer.max()] if "layer" in rows else rows
    np.testing.assert_allclose(last.lambda1.astype(float).mean(), mean.lambda1Mean.item(), rtol=1e-9)
