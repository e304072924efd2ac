"""Plain SGD with JAX, the steps of an epoch in one `lax.scan`. Usage: jax_training.py scan | seeds"""

import sys
import time

import jax
import jax.numpy as jnp

from cases import load_layers, load_samples
from serve import Prepared, serve

SEEDS = 16


def rows(params, inputs):
    """Outputs [batch, 1] with one sample per row; W is stored [in, out]."""
    x = inputs
    for weight, bias in params:
        x = jnp.tanh(x @ weight + bias)
    return x


def columns(params, inputs):
    """Outputs [batch, 1] with one sample per column; W is stored [out, in]."""
    x = inputs.T
    for weight, bias in params:
        x = jnp.tanh(weight @ x + bias[:, None])
    return x.T


def epoch(forward, learning_rate):
    """Params, samples and order [steps, batch] to the new params and the loss of each step."""

    def loss(params, inputs, targets):
        error = forward(params, inputs) - targets
        return jnp.mean(error * error)

    def step(params, batch):
        value, gradient = jax.value_and_grad(loss)(params, *batch)
        return jax.tree.map(lambda w, g: w - learning_rate * g, params, gradient), value

    def steps(params, inputs, targets, order):
        return jax.lax.scan(step, params, (inputs[order], targets[order]))

    return steps


def candidates(case, layers):
    """Ways to train, each with its params: rows or columns of samples."""
    for name, forward in (("a sample a row", rows), ("a sample a column", columns)):
        params = [(w.T if forward is rows else w, b) for w, b in layers]
        params = jax.tree.map(jnp.array, params)
        steps = epoch(forward, case["learningRate"])
        if sys.argv[1] == "seeds":
            params = jax.tree.map(lambda p: jnp.stack([p] * SEEDS), params)
            steps = jax.vmap(steps, in_axes=(0, None, None, None))
        yield name, jax.jit(steps, donate_argnums=0), params


def prepare(case: dict) -> Prepared:
    inputs, targets, order = map(jnp.array, load_samples(case))
    networks = SEEDS if sys.argv[1] == "seeds" else 1
    timed = []
    for name, steps, params in candidates(case, load_layers(case)):
        params, losses = jax.block_until_ready(steps(params, inputs, targets, order))
        start = time.perf_counter()
        params, _ = jax.block_until_ready(steps(params, inputs, targets, order))
        timed.append((time.perf_counter() - start, name, steps, params, losses))
    _, name, steps, params, losses = min(timed, key=lambda candidate: candidate[0])
    state = [params]

    def work() -> int:
        state[0], _ = jax.block_until_ready(steps(state[0], inputs, targets, order))
        return order.shape[0] * networks

    checked = losses.reshape(networks, -1)[0, : case["checkSteps"]]
    return Prepared(work, checked.tolist(), name)


if __name__ == "__main__":
    serve(prepare)
