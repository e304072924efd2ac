"""λ₁ over a grid with PyTorch. Usage: torch_fields.py as-written | expert"""

import sys
import time

from torch_without_cuda import torch

from cases import every_so_often, grid_points, load_layers
from serve import Prepared, serve


def as_written(layers):
    """The code people write: every point's Jacobian by forward mode, then its singular values."""

    def hidden(x):
        for weight, bias in layers[:-1]:
            x = torch.tanh(torch.nn.functional.linear(x, weight, bias))
        return x

    def exponents(points):
        jacobians = torch.func.vmap(torch.func.jacfwd(hidden))(points)
        return torch.log(torch.linalg.svdvals(jacobians)[:, 0]) / (len(layers) - 1)

    return exponents


def expert(layers):
    """Points [chunk, 2] to λ₁ by the tangents J e₁, J e₂ beside the value, three products a layer."""

    def exponents(points):
        weight, bias = layers[0]
        x = torch.tanh(weight @ points.T + bias[:, None])
        slope = 1 - x * x
        u, v = slope * weight[:, :1], slope * weight[:, 1:]
        for weight, bias in layers[1:-1]:
            x = torch.tanh(torch.addmm(bias[:, None], weight, x))
            slope = 1 - x * x
            u, v = slope * (weight @ u), slope * (weight @ v)
        a, b, c = (u * u).sum(0), (v * v).sum(0), (u * v).sum(0)
        half = (a - b) / 2
        first = (a + b) / 2 + torch.sqrt(half * half + c * c)
        return torch.log(first) / (2 * (len(layers) - 1))

    return exponents


def by_chunks(function, points, size):
    chunks = points.split(size)
    return lambda: torch.cat([function(chunk) for chunk in chunks])


def candidates(layers, points, sizes):
    """Names and functions; a caller takes the fastest."""
    if sys.argv[1] == "as-written":
        function = as_written(layers)
        yield "whole grid", lambda: function(points)
        return
    function = torch.compile(expert(layers))
    for size in sizes:
        yield f"chunks of {size}", by_chunks(function, points, size)


def prepare(case: dict) -> Prepared:
    layers = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in load_layers(case)]
    points = torch.from_numpy(grid_points(case))
    timed = []
    with torch.inference_mode():
        for name, run in candidates(layers, points, case["chunks"]):
            result = run()
            start = time.perf_counter()
            run()
            timed.append((time.perf_counter() - start, name, run, result))
    _, name, run, result = min(timed, key=lambda candidate: candidate[0])

    def work() -> int:
        with torch.inference_mode():
            run()
        return len(points)

    return Prepared(work, every_so_often(case, result), name)


serve(prepare)
