"""fields.py DIRECTORY POINTS LAYERS: opens every field of a sweep with zarr and with xarray."""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
import zarr
from stored_sweep import stored_fields

directory, points, layers = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def refuses_damage(field: Path, array: str) -> bool:
    """Whether a chunk with one bit flipped is an error, by its CRC-32C."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(field, copy, dirs_exist_ok=True)
        chunk = next(Path(copy, array).glob("c.*"))
        content = bytearray(chunk.read_bytes())
        content[5] ^= 1
        chunk.write_bytes(content)
        try:
            zarr.open_group(copy, mode="r")[array][:]
        except ValueError as error:
            return "checksum" in str(error).lower()
    return False


fields = stored_fields(directory)
assert len(fields) > 0
for field in fields:
    depth = len(field.hidden)
    layered = layers == "all"
    group = zarr.open_group(field.zarr, mode="r")
    names = {"lambda1", "direction", "output", "x", "y"} | ({"layer"} if layered else set())
    assert set(group.array_keys()) == names, list(group.array_keys())

    dataset = xr.open_zarr(field.zarr).load()
    for name in ["lambda1", "direction", "output"]:
        inner = layered and name != "output"
        variable = dataset[name]
        assert variable.dims == (("layer",) if inner else ()) + ("y", "x"), variable.dims
        assert variable.shape == ((depth,) if inner else ()) + (points, points)
        assert variable.dtype == np.float32
        assert np.isfinite(variable).all()
        np.testing.assert_array_equal(variable, group[name][:])
        assert [codec["name"] for codec in group[name].metadata.to_dict()["codecs"]] == [
            "bytes",
            "crc32c",
        ]
    assert set(dataset.coords) == {"x", "y"} | ({"layer"} if layered else set())
    for name in ["x", "y"]:
        values = dataset[name].values
        assert values.dtype == np.float64
        np.testing.assert_allclose(np.diff(values), (values[-1] - values[0]) / (points - 1))
        np.testing.assert_array_equal(values, -values[::-1])  # this region is symmetric about 0
    if layered:
        np.testing.assert_array_equal(dataset.layer, np.arange(1, depth + 1))
    assert dataset.attrs["cell"] == field.record["cell"]

for name in ["lambda1", "direction", "output", "x"]:
    assert refuses_damage(fields[0].zarr, name), name
