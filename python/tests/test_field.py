"""ftle.field: the field of a model, by the program's ``ftle import``."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_program

import ftle
from ftle.program import command


def has_import() -> bool:
    """Whether the program has the command; of an unknown one it would print its general help."""
    ended = subprocess.run([*command(), "import", "--help"], capture_output=True, text=True)
    return ended.returncode == 0 and "--region" in ended.stdout


def test_planes_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="expected plane to be None"):
        ftle.field(None, plane={"axes": [0, 1]})


@pytest.fixture
def importing() -> None:
    if not has_import():
        pytest.skip("this build of the program has no `ftle import`")


@pytest.mark.usefixtures("importing")
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


@pytest.mark.usefixtures("importing")
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
