"""The networks of Fig. 2 and their fields as an expert computes them with JAX, from start to end.

Usage: fig2_jax.py '{"widths": [10], "depths": [2], "learningRate": 0.2, "weightDecay": 0.003, "epochs": 12,
                    "points": 512, "out": "folder"}'

Every pair of width and depth: 36 000 of 40 000 points of the circle data, SGD with weight decay in batches of 128, its
rate along half a period of a cosine, the accuracy on the other 4 000, and λ₁, direction and output on a grid, written as
.npy.
"""

import json
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from cases import grid_points
from jax_fields import by_chunks, expert, tangents_apart
from jax_training import columns

HALF_WIDTH = 3**0.5
BATCH = 128

sweep = json.loads(sys.argv[1])
random = np.random.default_rng(0)


def circle(samples: int):
    """The standardised circle data: inputs [samples, 2], targets [samples, 1]."""
    x = random.uniform(-1, 1, (samples, 2))
    targets = np.where((x * x).sum(1, keepdims=True) < 2 / np.pi, -1, 1)
    return jnp.array(x * HALF_WIDTH, jnp.float32), jnp.array(targets, jnp.float32)


def initial(width: int, depth: int):
    """Critical: every layer with variance 1/fan-in; thresholds 0."""
    widths = [2] + [width] * depth + [1]
    return [
        (jnp.array(random.normal(0, n**-0.5, (m, n)), jnp.float32), jnp.zeros(m, jnp.float32))
        for n, m in zip(widths[:-1], widths[1:])
    ]


def loss(params, inputs, targets):
    error = columns(params, inputs) - targets
    return jnp.mean(error * error)


def step(params, batch):
    """One update; weights decay, biases do not."""
    rate, inputs, targets = batch
    gradient = jax.grad(loss)(params, inputs, targets)
    decay = sweep["weightDecay"]
    params = [
        (w - rate * (gw + decay * w), b - rate * gb) for (w, b), (gw, gb) in zip(params, gradient)
    ]
    return params, None


@partial(jax.jit, donate_argnums=0)
def epoch(params, inputs, targets, rates, order):
    return jax.lax.scan(step, params, (rates, inputs[order], targets[order]))[0]


def train(params, inputs, targets):
    """The whole batches of every epoch in one `lax.scan`; samples beyond the last whole batch are left out."""
    steps = len(inputs) // BATCH
    progress = np.arange(sweep["epochs"] * steps) / (sweep["epochs"] * steps)
    rates = jnp.array(sweep["learningRate"] * (1 + np.cos(np.pi * progress)) / 2, jnp.float32)
    for rate in rates.reshape(sweep["epochs"], steps):
        order = random.permutation(len(inputs))[: steps * BATCH].astype(np.int32)
        params = epoch(params, inputs, targets, rate, order.reshape(steps, BATCH))
    return params


@jax.jit
def accuracy(params, inputs, targets):
    return jnp.mean(jnp.sign(columns(params, inputs)) == targets)


inputs, targets = circle(40_000)
split = 36_000
points = grid_points({"points": sweep["points"], "halfWidth": HALF_WIDTH})
accuracies = {}
for width in sweep["widths"]:
    for depth in sweep["depths"]:
        params = train(initial(width, depth), inputs[:split], targets[:split])
        accuracies[f"{width}x{depth}"] = float(accuracy(params, inputs[split:], targets[split:]))
        chunk = 2048 if width <= 16 else 512  # the fastest of those that jax_fields.py tried
        function = expert(params, tangents_apart, everything=True)
        lambda1, _, direction, output = by_chunks(function, points, chunk, columns=True)()
        for name, field in (("lambda1", lambda1), ("direction", direction), ("output", output)):
            path = Path(sweep["out"]) / f"{name}-{width}x{depth}.npy"
            np.save(path, np.asarray(field).reshape(sweep["points"], sweep["points"]))
print(json.dumps(accuracies))
