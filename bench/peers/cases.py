"""What the driver passes: weights, grids and samples, as NumPy arrays."""

import numpy as np
from safetensors.numpy import load_file

#: W [out, in] and bias [out] of a layer.
Layer = tuple[np.ndarray, np.ndarray]


def load_layers(case: dict) -> list[Layer]:
    tensors = load_file(case["weights"])
    count = len(tensors) // 2
    return [(tensors[f"layers.{i}.weight"], tensors[f"layers.{i}.bias"]) for i in range(count)]


def grid_coordinates(points: int, half_width: float) -> np.ndarray:
    """The centres of `points` equal parts of [−half_width, half_width]."""
    return (((np.arange(points) + 0.5) / points * 2 - 1) * half_width).astype(np.float32)


def grid_points(case: dict) -> np.ndarray:
    """[points², 2], the first coordinate running fastest."""
    x = grid_coordinates(case["points"], case["halfWidth"])
    return np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)


def every_so_often(case: dict, field) -> list[float]:
    """The values at every so-many-th column and row: what contestants compare."""
    side, every = case["points"], case["every"]
    return np.asarray(field).reshape(side, side)[::every, ::every].ravel().tolist()


def load_samples(case: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs [samples, 2], targets [samples, 1], and the order of an epoch in whole batches [steps, batch]."""
    inputs = np.fromfile(case["inputs"], np.float32).reshape(-1, 2)
    targets = np.fromfile(case["targets"], np.float32).reshape(-1, 1)
    order = np.fromfile(case["order"], np.uint32).astype(np.int32)
    steps = len(order) // case["batch"]
    return inputs, targets, order[: steps * case["batch"]].reshape(steps, case["batch"])
