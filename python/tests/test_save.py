"""ftle.save: models of Equinox and PyTorch, and what is said of others."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import ftle
from ftle.models import ACTIVATIONS


def apply(path: Path, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the file says that the network computes. x [samples, inputs]."""
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
        assert metadata["format"] == "pt"
        positions = sorted({int(name.split(".")[0]) for name in file.keys()})  # noqa: SIM118
        for position in positions:
            weight, bias = (file.get_tensor(f"{position}.{part}") for part in ("weight", "bias"))
            is_last = position == positions[-1]
            g = ACTIVATIONS[metadata["outputActivation" if is_last else "activation"]]
            x = g(x @ weight.T + bias)
    return x


class TestEquinox:
    @pytest.fixture(autouse=True)
    def libraries(self) -> None:
        self.eqx = pytest.importorskip("equinox")
        self.jax = pytest.importorskip("jax")

    def mlp(self, **options: Any) -> Any:
        given = {"in_size": 2, "out_size": 3, "width_size": 5, "depth": 3, **options}
        return self.eqx.nn.MLP(**given, key=self.jax.random.PRNGKey(0))

    def check(self, model: Any, path: Path, activation: str, output: str) -> None:
        ftle.save(model, path)
        x = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
        expected = np.asarray(self.jax.vmap(model)(x)).reshape(7, -1)
        np.testing.assert_allclose(apply(path, x), expected, rtol=1e-5, atol=1e-6)
        with safe_open(path, "numpy") as file:
            assert file.metadata() == {"format": "pt", "activation": activation, "outputActivation": output}

    @pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"depth": 1}, {"out_size": "scalar"}, {"scan": True}])
    def test_shapes(self, tmp_path: Path, options: dict[str, Any]) -> None:
        self.check(self.mlp(**options), tmp_path / "m.safetensors", "relu", "linear")

    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_activations_by_what_they_do(self, tmp_path: Path, name: str) -> None:
        nn, jnp = self.jax.nn, self.jax.numpy
        functions = {"tanh": lambda x: jnp.tanh(x), "relu": nn.relu, "sigmoid": nn.sigmoid, "linear": lambda x: 1.0 * x}
        model = self.mlp(activation=functions[name], final_activation=functions[name])
        self.check(model, tmp_path / "m.safetensors", name, name)

    def test_deep_networks_keep_their_order(self, tmp_path: Path) -> None:
        self.check(self.mlp(depth=12), tmp_path / "m.safetensors", "relu", "linear")

    @pytest.mark.parametrize("name", ["gelu", "leaky_relu", "relu6", "hard_tanh", "softplus"])
    def test_other_activations_are_refused(self, tmp_path: Path, name: str) -> None:
        model = self.mlp(activation=getattr(self.jax.nn, name))
        with pytest.raises(ValueError, match="expected activation as an argument, one of tanh, relu, sigmoid, linear"):
            ftle.save(model, tmp_path / "m.safetensors")
        assert not (tmp_path / "m.safetensors").exists()

    def test_given_activations(self, tmp_path: Path) -> None:
        path = tmp_path / "m.safetensors"
        ftle.save(self.mlp(activation=self.jax.nn.hard_tanh), path, activation="tanh")
        with safe_open(path, "numpy") as file:
            assert file.metadata()["activation"] == "tanh"
        with pytest.raises(ValueError, match="expected activation to be the model's, 'relu'; got 'tanh'"):
            ftle.save(self.mlp(), path, activation="tanh")
        with pytest.raises(ValueError, match="expected output_activation to be one of tanh, .*; got 'gelu'"):
            ftle.save(self.mlp(), path, output_activation="gelu")

    def test_kinds_of_numbers(self, tmp_path: Path) -> None:
        for dtype, stored in [("float32", np.float32), ("bfloat16", np.float32), ("float16", np.float32)]:
            ftle.save(self.mlp(dtype=dtype), tmp_path / "m.safetensors")
            with safe_open(tmp_path / "m.safetensors", "numpy") as file:
                assert {file.get_tensor(name).dtype for name in file.keys()} == {np.dtype(stored)}  # noqa: SIM118
        with self.jax.enable_x64(True):
            ftle.save(self.mlp(dtype="float64"), tmp_path / "m.safetensors")
        with safe_open(tmp_path / "m.safetensors", "numpy") as file:
            assert file.get_tensor("2.weight").dtype == np.float64 and file.get_tensor("2.bias").dtype == np.float64

    def test_other_modules(self, tmp_path: Path) -> None:
        linear = self.eqx.nn.Linear(2, 3, key=self.jax.random.PRNGKey(0))
        with pytest.raises(TypeError, match=r"expected a torch.nn.Sequential .* or an equinox.nn.MLP; got equinox.nn._linear.Linear"):
            ftle.save(linear, tmp_path / "m.safetensors")
        with pytest.raises(ValueError, match="expected at least one hidden layer, found 0"):
            ftle.save(self.mlp(depth=0), tmp_path / "m.safetensors")


class TestTorch:
    @pytest.fixture(autouse=True)
    def libraries(self) -> None:
        self.torch = pytest.importorskip("torch", reason="PyTorch is not installed: gigabytes, by choice")
        self.nn = self.torch.nn
        self.torch.manual_seed(0)

    def check(self, model: Any, path: Path, activation: str, output: str) -> None:
        ftle.save(model, path)
        x = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
        parts = [part for part in model if not isinstance(part, self.nn.Softmax | self.nn.LogSoftmax)]
        with self.torch.no_grad():
            expected = self.nn.Sequential(*parts)(self.torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(apply(path, x), expected, rtol=1e-5, atol=1e-6)
        with safe_open(path, "numpy") as file:
            assert file.metadata() == {"format": "pt", "activation": activation, "outputActivation": output}

    def test_sequences(self, tmp_path: Path) -> None:
        nn, path = self.nn, tmp_path / "m.safetensors"
        self.check(nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)), path, "tanh", "linear")
        self.check(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid()), path, "relu", "sigmoid")
        self.check(nn.Sequential(nn.Linear(2, 5), nn.Identity(), nn.Linear(5, 3)), path, "linear", "linear")
        self.check(nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 3), nn.Tanh()), path, "linear", "tanh")
        self.check(nn.Sequential(nn.Linear(2, 5, bias=False), nn.Tanh(), nn.Linear(5, 3), nn.LogSoftmax(1)), path, "tanh", "linear")
        block = nn.Sequential(nn.Linear(2, 4), nn.Tanh())
        self.check(nn.Sequential(block, nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3), nn.Softmax(1)), path, "tanh", "linear")

    def test_torch_loads_the_file_again(self, tmp_path: Path) -> None:
        from safetensors.torch import load_file

        model = self.nn.Sequential(self.nn.Linear(2, 5), self.nn.Tanh(), self.nn.Linear(5, 1)).double()
        ftle.save(model, tmp_path / "m.safetensors")
        assert not model.load_state_dict(load_file(tmp_path / "m.safetensors")).missing_keys
        assert load_file(tmp_path / "m.safetensors")["0.weight"].dtype == self.torch.float64

    def test_what_is_refused(self, tmp_path: Path) -> None:
        nn, path = self.nn, tmp_path / "m.safetensors"
        cases: list[tuple[type[Exception], str, Any]] = [
            (TypeError, "found torch.nn.modules.conv.Conv2d at position 0", nn.Sequential(nn.Conv2d(1, 2, 3))),
            (TypeError, "found torch.nn.modules.dropout.Dropout at position 1", nn.Sequential(nn.Linear(2, 2), nn.Dropout())),
            (TypeError, "expected a torch.nn.Sequential .*; got torch.nn.modules.linear.Linear", nn.Linear(2, 2)),
            (ValueError, "same activation in all hidden layers, found tanh, relu",
             nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))),
            (ValueError, "one activation after a Linear, found tanh and relu", nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.ReLU())),
            (ValueError, "expected a Linear first", nn.Sequential(nn.Tanh(), nn.Linear(2, 2))),
            (ValueError, "at least one hidden layer, found 0", nn.Sequential(nn.Linear(2, 2))),
            (ValueError, r"layer 1 to take the 3 outputs of the one before it, found a weight of \[1, 4\]",
             nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1))),
        ]
        for kind, message, model in cases:
            with pytest.raises(kind, match=message):
                ftle.save(model, path)
        assert not path.exists()


def test_models_of_nobody(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"expected a torch.nn.Sequential of .*, or an equinox.nn.MLP; got builtins.dict"):
        ftle.save({}, tmp_path / "m.safetensors")


def test_neither_library_is_imported(tmp_path: Path) -> None:
    code = """
import sys, ftle
try: ftle.save(3, "m")
except TypeError: pass
print([name for name in ("torch", "equinox", "jax", "matplotlib", "dask") if name in sys.modules])
"""
    assert importlib.util.find_spec("ftle") is not None
    source = str(Path(ftle.__file__).parent.parent)
    ended = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": source}
    )
    assert ended.stdout.strip() == "[]", ended
