"""weights.py DIRECTORY: recomputes fields from the stored weights and prints the largest differences.

Not as the program does it: the whole Jacobian is multiplied out and taken apart by LAPACK's SVD.
"""

import json
import sys

import numpy as np
import xarray as xr
from safetensors.numpy import load_file
from stored_sweep import Field, stored_fields

POINTS = 40  # of each field, at random

ACTIVATIONS = {
    "tanh": (np.tanh, lambda b: 1 - np.tanh(b) ** 2),
    "linear": (lambda b: b, np.ones_like),
}


def layers_of(field: Field) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights [out, in] and biases of every layer, the output layer last."""
    tensors = load_file(field.weights)
    network = field.record["physics"]["network"]
    widths = [network["inputs"], *field.hidden, network["outputs"]]
    names = [f"layers.{l}.{part}" for l in range(len(widths) - 1) for part in ("weight", "bias")]
    assert sorted(tensors) == sorted(names), sorted(tensors)
    layers = []
    for l, (below, above) in enumerate(zip(widths[:-1], widths[1:])):
        weight, bias = tensors[f"layers.{l}.weight"], tensors[f"layers.{l}.bias"]
        assert weight.shape == (above, below) and bias.shape == (above,)
        layers.append((weight.astype(np.float64), bias.astype(np.float64)))
    return layers


differences = {"lambda1": 0.0, "direction": 0.0, "output": 0.0}


def compare(name: str, stored: float, computed: float) -> None:
    differences[name] = max(differences[name], abs(float(stored) - float(computed)))


random = np.random.default_rng(1)
compared = 0
for field in stored_fields(sys.argv[1]):
    network = field.record["physics"]["network"]
    g, slope = ACTIVATIONS[network["activation"]]
    g_out, _ = ACTIVATIONS[network["outputActivation"]]
    layers = layers_of(field)
    dataset = xr.open_zarr(field.zarr).load()
    for row, column in random.integers(dataset.sizes["x"], size=(POINTS, 2)):
        at = dataset.isel(y=row, x=column)
        inputs = activations = np.array([at.x, at.y])
        jacobian = np.eye(len(inputs))
        for l, (weight, bias) in enumerate(layers[:-1], start=1):
            local_field = weight @ activations + bias
            activations = g(local_field)
            jacobian = slope(local_field)[:, None] * (weight @ jacobian)
            if "layer" not in dataset.dims and l < len(layers) - 1:
                continue
            stored = at.sel(layer=l) if "layer" in dataset.dims else at
            stretched = np.linalg.svd(jacobian, compute_uv=False)[0]
            compare("lambda1", stored.lambda1, np.log(stretched) / l)
            # The stored direction stretches as much as any: also well posed where two stretch alike.
            angle = float(stored.direction)
            along = np.linalg.norm(jacobian @ [np.cos(angle), np.sin(angle)])
            compare("direction", stored.lambda1, np.log(along) / l)
        weight, bias = layers[-1]
        compare("output", at.output, g_out(weight @ activations + bias)[0])
        compared += 1

print(json.dumps({"points": compared, **differences}))
