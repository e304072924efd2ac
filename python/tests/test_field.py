"""ftle.field: the field of a model that was trained elsewhere."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from conftest import run_program

import ftle


@pytest.mark.parametrize(
    "plane, message",
    [
        ({"axes": [0, 1]}, "expected a plane with `through`, or with `axes` and `at`; got axes"),
        ({"through": np.eye(2)}, "expected a plane through three points, got 2"),
        ({"axes": [0, 1], "at": {"test": 3}}, "expected numbers for `at` of the plane, one for each input"),
        ({"through": [[0, 0], [np.nan, 0], [0, 1]]}, "expected finite numbers for point 1 of the plane"),
    ],
)
def test_other_planes_are_refused(plane: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ftle.field(None, plane=plane)


def test_a_model_has_the_field_of_its_jacobian() -> None:
    eqx, jax = pytest.importorskip("equinox"), pytest.importorskip("jax")
    model: Any = eqx.nn.MLP(2, 1, 6, 3, activation=jax.numpy.tanh, key=jax.random.PRNGKey(1))
    ds = ftle.field(model, region=(-2, 1, -1, 3), points=24)
    assert ds.lambda1.dims == ("y", "x") and ds.sizes == {"y": 24, "x": 24}
    np.testing.assert_allclose(ds.x[[0, -1]], [-2 + 3 / 48, 1 - 3 / 48])
    np.testing.assert_allclose(ds.y[[0, -1]], [-1 + 4 / 48, 3 - 4 / 48])

    def hidden(x: Any) -> Any:
        for layer in model.layers[:-1]:
            x = jax.numpy.tanh(layer(x))
        return x

    assert ds.title == "model" and ds.hidden == "6-6-6" and np.isnan(ds.weightVariance)
    for row, column in [(0, 0), (3, 20), (23, 11)]:
        point = np.array([ds.x[column], ds.y[row]], np.float32)
        stretched = np.linalg.svd(np.asarray(jax.jacobian(hidden)(point)), compute_uv=False)[0]
        assert float(ds.lambda1[row, column]) == pytest.approx(np.log(stretched) / 3, abs=1e-4)
        assert float(ds.output[row, column]) == pytest.approx(float(model(point)[0]), abs=1e-4)


def test_imported_networks_are_open_by_their_files(tmp_path: Path) -> None:
    eqx, jax = pytest.importorskip("equinox"), pytest.importorskip("jax")
    files = []
    for depth in (1, 12):
        files.append(tmp_path / f"depth-{depth}.safetensors")
        ftle.save(eqx.nn.MLP(2, 1, 6, depth, activation=jax.numpy.tanh, key=jax.random.PRNGKey(1)), files[-1])
    out = tmp_path / "sweep"
    run_program("import", *map(str, files), "--out", str(out), "--points", "16", "--quiet")
    ds = ftle.open(out)
    assert [Path(name).name for name in ds.weights.values] == [file.name for file in files]
    assert ds.depth.values.tolist() == [1, 12]
    lattice = ftle.open(out, lattice=True)
    assert lattice.lambda1.dims == ("seed", "weights", "y", "x")
    np.testing.assert_array_equal(lattice.lambda1[0], ds.lambda1)
    assert np.isfinite(ftle.field(files[1], points=16).lambda1).all(), "a file is a model, too"


FIELDS = ["lambda1", "lambda2", "planeLambda1", "direction", "output"]


def test_planes_in_more_inputs() -> None:
    eqx, jax = pytest.importorskip("equinox"), pytest.importorskip("jax")
    model: Any = eqx.nn.MLP(6, 3, 7, 2, activation=jax.numpy.tanh, key=jax.random.PRNGKey(2))

    def hidden(x: Any) -> Any:
        for layer in model.layers[:-1]:
            x = jax.numpy.tanh(layer(x))
        return x

    def check(ds: xr.Dataset, origin: Any, u: Any, v: Any, scale: float) -> None:
        """Against the Jacobian, whole and within the plane of the orthonormal u and v."""
        assert [name for name in ds if ds[name].dims == ("y", "x")] == FIELDS
        for row, column in [(0, 0), (4, 13), (15, 7)]:
            x, y = float(ds.x[column]), float(ds.y[row])
            point = (origin + scale * (x * u + y * v)).astype(np.float32)
            jacobian = np.asarray(jax.jacobian(hidden)(point), np.float64)
            exponents = np.log(np.linalg.svd(jacobian, compute_uv=False)[:2]) / 2
            _, within, axes = np.linalg.svd(jacobian @ np.stack([u, v], axis=1))
            at = ds.isel(y=row, x=column)
            assert [float(at.lambda1), float(at.lambda2)] == pytest.approx(exponents, abs=1e-4)
            assert float(at.planeLambda1) == pytest.approx(np.log(within[0]) / 2, abs=1e-4)
            stretched = [np.cos(float(at.direction)), np.sin(float(at.direction))]
            assert abs(axes[0] @ stretched) == pytest.approx(1, abs=1e-4)
            assert int(at.output) == int(np.argmax(model(point)))

    at, units = np.linspace(-0.5, 0.5, 6), np.eye(6)
    ds = ftle.field(model, (-1, 2, 0, 1), {"axes": (4, 1), "at": at}, points=16)
    assert ds.x.long_name == "input 4" and ds.outputs == 3
    np.testing.assert_allclose([ds.x[0], ds.y[-1]], [-1 + 3 / 32, 1 - 1 / 32])
    check(ds, at * (1 - units[4] - units[1]), units[4], units[1], 1)

    a, b, c = np.random.default_rng(1).normal(size=(3, 2, 3)).astype(np.float32)
    ds = ftle.field(model, plane={"through": [jax.numpy.array(a), b, c.tolist()]}, points=16)
    np.testing.assert_allclose(ds.x[[0, -1]], [-0.5 + 1 / 16, 1.5 - 1 / 16])
    first, second = (b - a).ravel().astype(float), (c - a).ravel().astype(float)
    scale = float(np.linalg.norm(first))
    u = first / scale
    v = second - (second @ u) * u
    check(ds, a.ravel().astype(float), u, v / np.linalg.norm(v), scale)

    with pytest.raises(ftle.FtleError, match="expected `none` or a `plane`") as caught:
        ftle.field(model)
    assert str(caught.value).startswith("spec:") and caught.value.code == 2
    with pytest.raises(ftle.FtleError, match="expected 6 numbers"):
        ftle.field(model, plane={"axes": (0, 1), "at": [0] * 5})
