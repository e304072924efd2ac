"""λ₁ at samples of many inputs with JAX, float32. Usage: jax_exponents.py svdvals | numpy | reduced"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from cases import load_layers
from serve import Prepared, serve


def hidden_of(layers):
    def hidden(x):
        for weight, bias in layers[:-1]:
            x = jnp.tanh(weight @ x + bias)
        return x

    return hidden


def svdvals(layers):
    """The code people write: every sample's Jacobian by reverse mode, then its singular values, all compiled."""
    hidden = hidden_of(layers)
    exponent = lambda x: jnp.log(jnp.linalg.svdvals(jax.jacrev(hidden)(x))[0]) / (len(layers) - 1)
    compiled = jax.jit(jax.vmap(exponent))
    yield "svdvals", lambda inputs: jax.block_until_ready(compiled(inputs))


def with_numpy(layers):
    """The Jacobians are compiled, and NumPy takes them apart."""
    jacobians = jax.jit(jax.vmap(jax.jacrev(hidden_of(layers))))

    def exponents(inputs):
        s = np.linalg.svd(np.asarray(jacobians(inputs)), compute_uv=False)
        return np.log(s[:, 0]) / (len(layers) - 1)

    yield "numpy.linalg.svd", exponents


def reduced(layers):
    """What our engines do, too: W^(1) = R·Q, and the network of R at Qx has the same exponents (science: A2)."""
    weight, bias = layers[0]
    columns, upper = np.linalg.qr(np.asarray(weight, np.float64).T)
    R, Q = jnp.asarray(upper.T, jnp.float32), jnp.asarray(columns.T, jnp.float32)
    hidden = hidden_of([(R, bias), *layers[1:]])

    def by_svd(jacobian):
        return jnp.log(jnp.linalg.svdvals(jacobian)[0])

    def by_gram(jacobian):
        return jnp.log(jnp.linalg.eigvalsh(jacobian @ jacobian.T)[-1]) / 2

    for mode in (jax.jacfwd, jax.jacrev):
        for greatest in (by_svd, by_gram):
            exponent = lambda x, mode=mode, of=greatest: of(mode(hidden)(Q @ x)) / (len(layers) - 1)
            compiled = jax.jit(jax.vmap(exponent))
            run = lambda inputs, compiled=compiled: jax.block_until_ready(compiled(inputs))
            yield f"{mode.__name__} {greatest.__name__.replace('_', ' ')}", run


def seconds_of(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


METHODS = {"svdvals": svdvals, "numpy": with_numpy, "reduced": reduced}


def prepare(case: dict) -> Prepared:
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in load_layers(case)]
    inputs = np.fromfile(case["inputs"], np.float32).reshape(-1, case["network"]["inputs"])
    timed = []
    for name, exponents in METHODS[sys.argv[1]](layers):
        for size in case["chunks"]:
            batches = [jnp.asarray(inputs[i : i + size]) for i in range(0, len(inputs) - size + 1, size)]
            exponents(batches[0])
            seconds = min(seconds_of(lambda: exponents(batches[0])) for _ in range(3)) / size
            timed.append((seconds, f"{name}, batches of {size}", exponents, batches))
    _, name, exponents, batches = min(timed, key=lambda candidate: candidate[0])
    done = 0

    def work() -> int:
        nonlocal done
        batch = batches[done % len(batches)]
        done += 1
        exponents(batch)
        return len(batch)

    check = np.asarray(exponents(batches[0]))[: case["checked"]]
    return Prepared(work, check.tolist(), name)


if __name__ == "__main__":
    serve(prepare)
