"""λ₁ over a grid with JAX. Usage: jax_fields.py as-written | closed-form | expert | expert-all"""

import sys
import time

import jax
import jax.numpy as jnp

from cases import every_so_often, grid_points, load_layers
from serve import Prepared, serve


def as_written(layers):
    """The code people write: every point's Jacobian by forward mode, then its singular values."""

    def hidden(x):
        for weight, bias in layers[:-1]:
            x = jnp.tanh(weight @ x + bias)
        return x

    def exponent(x):
        return jnp.log(jnp.linalg.svdvals(jax.jacfwd(hidden)(x))[0]) / (len(layers) - 1)

    return jax.vmap(exponent)


def closed_form(layers):
    """The same with the closed form of two singular values."""

    def hidden(x):
        for weight, bias in layers[:-1]:
            x = jnp.tanh(weight @ x + bias)
        return x

    def exponent(x):
        jacobian = jax.jacfwd(hidden)(x)
        return exponents(jacobian[:, 0], jacobian[:, 1], len(layers) - 1)[0]

    return jax.vmap(exponent)


def exponents(u, v, depth):
    """λ₁, λ₂ and the direction of stretching from the two tangents J e₁, J e₂ (science: A2)."""
    a, b, c = jnp.sum(u * u, 0), jnp.sum(v * v, 0), jnp.sum(u * v, 0)
    half = (a - b) / 2
    root = jnp.sqrt(half * half + c * c)
    first = (a + b) / 2 + root
    second = (a * b - c * c) / first
    return jnp.log(first) / (2 * depth), jnp.log(second) / (2 * depth), jnp.atan2(c, half) / 2


def tangents_apart(layers, points):
    """Value and tangents [N, chunk] at points [2, chunk]: three products a layer."""
    weight, bias = layers[0]
    x = jnp.tanh(weight @ points + bias[:, None])
    slope = 1 - x * x
    u, v = slope * weight[:, :1], slope * weight[:, 1:]
    for weight, bias in layers[1:-1]:
        x = jnp.tanh(weight @ x + bias[:, None])
        slope = 1 - x * x
        u, v = slope * (weight @ u), slope * (weight @ v)
    return x, u, v


def tangents_stacked(layers, points):
    """The same with one product a layer, on [value | u | v] side by side."""
    weight, bias = layers[0]
    x = jnp.tanh(weight @ points + bias[:, None])
    slope = 1 - x * x
    u, v = slope * weight[:, :1], slope * weight[:, 1:]
    for weight, bias in layers[1:-1]:
        b, u, v = jnp.split(weight @ jnp.concatenate((x, u, v), 1), 3, 1)
        x = jnp.tanh(b + bias[:, None])
        slope = 1 - x * x
        u, v = slope * u, slope * v
    return x, u, v


def expert(layers, tangents, *, everything=False):
    """Points [2, chunk] to λ₁ alone, or to everything that a field of ours contains."""

    def chunk(points):
        x, u, v = tangents(layers, points)
        lambda1, lambda2, direction = exponents(u, v, len(layers) - 1)
        if not everything:
            return lambda1
        weight, bias = layers[-1]
        return lambda1, lambda2, direction, jnp.tanh(weight @ x + bias[:, None])[0]

    return chunk


def by_chunks(function, points, size, *, columns):
    """`lax.map` of a function of [2, size] (columns) or [size, 2] over all points."""
    chunks = points.reshape(-1, size, 2)
    if columns:
        chunks = chunks.swapaxes(1, 2)
    chunks = jnp.array(chunks)
    mapped = jax.jit(lambda chunks: jax.lax.map(function, chunks))
    return lambda: jax.block_until_ready(mapped(chunks))


def candidates(method, layers, points, sizes):
    """Names and functions; a caller takes the fastest."""
    if method == "as-written":
        function, whole = jax.jit(as_written(layers)), jnp.array(points)
        yield "whole grid", lambda: jax.block_until_ready(function(whole))
        return
    for size in sizes:
        if method == "closed-form":
            yield f"chunks of {size}", by_chunks(closed_form(layers), points, size, columns=False)
            continue
        for name, tangents in (("3 products", tangents_apart), ("stacked", tangents_stacked)):
            function = expert(layers, tangents, everything=method == "expert-all")
            yield f"{name}, chunks of {size}", by_chunks(function, points, size, columns=True)


def prepare(case: dict) -> Prepared:
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in load_layers(case)]
    points = grid_points(case)
    timed = []
    for name, run in candidates(sys.argv[1], layers, points, case["chunks"]):
        result = run()
        start = time.perf_counter()
        run()
        timed.append((time.perf_counter() - start, name, run, result))
    _, name, run, result = min(timed, key=lambda candidate: candidate[0])
    lambda1 = result[0] if isinstance(result, tuple) else result

    def work() -> int:
        run()
        return len(points)

    return Prepared(work, every_so_often(case, lambda1), name)


if __name__ == "__main__":
    serve(prepare)
