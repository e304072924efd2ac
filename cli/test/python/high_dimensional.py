"""high_dimensional.py JSON: recomputes exponents in many inputs with JAX in float64, and prints the largest differences.

JSON is a list of {directory, exponents, points, plane, mnist}: at how many test samples exponents are compared (of MNIST
alone), and at how many points of the field, at random; its plane as in a spec, but with numbers for points of generated
sets; MNIST's folder.

Not as the program does it: Jacobians of all inputs, in reverse mode, are taken apart by LAPACK's SVD, and those within the
plane are the derivatives, in forward mode, of what is composed with x, y ↦ a + |b − a| (x u + y v).
"""

import gzip
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from safetensors.numpy import load_file
from stored_sweep import Field, stored_fields

jax.config.update("jax_enable_x64", True)

CLEARLY = 1.5  # A direction is compared where σ₁ within the plane is so many times σ₂, or more.
TIED = 1e-4  # Logits that are nearer to each other may be in another order in float32.
AT_ONCE = 250  # Jacobians; of 20 × 784 numbers of 8 bytes


def mnist_images(folder: str | None) -> np.ndarray:
    """The test images, [samples, 784], as float32 holds them."""
    if folder is None:
        return np.empty((0, 0))
    path = Path(folder, "t10k-images-idx3-ubyte.gz")
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return (pixels.reshape(-1, 784) / 255).astype(np.float32).astype(np.float64)


def networks_of(field: Field):
    """Functions of one input: the last hidden layer's activations, and the logits."""
    tensors = {name: array.astype(np.float64) for name, array in load_file(field.weights).items()}
    layers = [
        (tensors[f"layers.{l}.weight"], tensors[f"layers.{l}.bias"])
        for l in range(len(field.hidden) + 1)
    ]

    def hidden(x):
        for weight, bias in layers[:-1]:
            x = jnp.tanh(weight @ x + bias)
        return x

    def logits(x):
        weight, bias = layers[-1]
        return weight @ hidden(x) + bias

    return hidden, logits


def in_parts(function, points: np.ndarray) -> np.ndarray:
    parts = [points[i : i + AT_ONCE] for i in range(0, len(points), AT_ONCE)]
    return np.concatenate([np.asarray(function(part)) for part in parts])


def plane_frame(plane: dict, images: np.ndarray):
    """a, u, v and the length of a unit: a point is a + unit·(x u + y v)."""

    def at(point) -> np.ndarray:
        return images[point["test"]] if isinstance(point, dict) else np.array(point, np.float64)

    if "axes" in plane:
        origin = at(plane["at"]).copy()
        origin[plane["axes"]] = 0
        first, second = plane["axes"]
        return origin, np.eye(len(origin))[first], np.eye(len(origin))[second], 1.0
    a, b, c = map(at, plane["through"])
    unit = np.linalg.norm(b - a)
    u = (b - a) / unit
    v = (c - a) - ((c - a) @ u) * u
    return a, u, v / np.linalg.norm(v), unit


def largest(stored: np.ndarray, computed: np.ndarray) -> float:
    return float(np.abs(stored.astype(np.float64) - computed).max())


def compare_exponents(field: Field, images: np.ndarray) -> dict:
    """λ₁ and λ₂ at the first test samples."""
    hidden, _ = networks_of(field)
    (analysis,) = (entry for entry in field.record["analyses"] if entry["name"] == "exponents")
    folder = f"exponents-{field.snapshot}-{analysis['id']}.zarr"
    stored = xr.open_zarr(field.zarr.parent / folder).load()["lambda"].values
    s = singular_values(in_parts(jax.jit(jax.vmap(jax.jacrev(hidden))), images))
    computed = np.log(s[:, :2]) / len(field.hidden)
    return {
        "stored": len(stored),
        "lambda1": largest(stored[: len(images), 0], computed[:, 0]),
        "lambda2": largest(stored[: len(images), 1], computed[:, 1]),
        "spread": float(computed[:, 0].std()),
    }


def singular_values(jacobians: np.ndarray) -> np.ndarray:
    return np.linalg.svd(jacobians, compute_uv=False)


def compare_field(field: Field, plane: dict, images: np.ndarray, points: int) -> dict:
    hidden, logits = networks_of(field)
    depth = len(field.hidden)
    origin, u, v, unit = plane_frame(plane, images)

    def point(place):
        return origin + unit * (place[0] * u + place[1] * v)

    stored = xr.open_zarr(field.zarr).load()
    names = {"lambda1", "lambda2", "planeLambda1", "direction", "output"}
    assert set(stored.data_vars) == names, set(stored.data_vars)
    assert all(np.isfinite(stored[name]).all() for name in names)
    excess = stored.planeLambda1.astype(np.float64) - stored.lambda1
    places = np.stack(np.meshgrid(stored.x, stored.y), axis=-1).reshape(-1, 2)
    chosen = np.random.default_rng(1).choice(len(places), points, replace=False)
    places = places[chosen]
    lambda1, lambda2, within, direction, output = (
        stored[name].transpose("y", "x").values.ravel()[chosen]
        for name in ("lambda1", "lambda2", "planeLambda1", "direction", "output")
    )

    whole = jax.jit(jax.vmap(lambda place: jax.jacrev(hidden)(point(place))))
    s = singular_values(in_parts(whole, places))
    # Per unit of input space, not of the plane's coordinates.
    along = jax.jit(jax.vmap(lambda place: jax.jacfwd(lambda at: hidden(point(at)))(place) / unit))
    _, t, vt = np.linalg.svd(in_parts(along, places))
    is_clear = t[:, 0] > CLEARLY * t[:, 1]
    angle = np.arctan2(vt[:, 0, 1], vt[:, 0, 0])
    turned = (direction - angle + np.pi / 2) % np.pi - np.pi / 2  # a line has no sign

    of_classes = in_parts(jax.jit(jax.vmap(lambda place: logits(point(place)))), places)
    ranked = np.sort(of_classes, axis=-1)
    is_decided = ranked[:, -1] - ranked[:, -2] > TIED
    return {
        "points": excess.size,
        "compared": len(places),
        "differences": {
            "lambda1": largest(lambda1, np.log(s[:, 0]) / depth),
            "lambda2": largest(lambda2, np.log(s[:, 1]) / depth),
            "planeLambda1": largest(within, np.log(t[:, 0]) / depth),
            "direction": float(np.abs(turned[is_clear]).max()),
        },
        "directions": int(is_clear.sum()),
        "decided": int(is_decided.sum()),
        "wrongOutputs": int((output != of_classes.argmax(axis=-1))[is_decided].sum()),
        "labels": len(np.unique(stored.output)),
        "excess": float(excess.max()),
    }


results = []
for case in json.loads(sys.argv[1]):
    images = mnist_images(case["mnist"])
    networks = [
        {
            "network": "-".join(map(str, field.hidden)),
            "exponents": compare_exponents(field, images[: case["exponents"]])
            if case["exponents"] > 0
            else None,
            "field": compare_field(field, case["plane"], images, case["points"]),
        }
        for field in stored_fields(case["directory"])
    ]
    results.append(networks)
print(json.dumps(results))
