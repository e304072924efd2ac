"""The networks of Fig. 2 and their fields as an expert computes them with JAX, from start to end.

Usage: fig2_jax.py '{"widths": [10], "depths": [2], "epochs": 12, "points": 512, "out": "folder"}'

Every pair of width and depth: 36 000 of 40 000 points of the circle data, plain SGD of 0.05 in batches of 128,
the accuracy on the other 4 000, and λ₁, direction and output on a grid, written as .npy.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from cases import grid_points
from jax_fields import by_chunks, expert, tangents_apart
from jax_training import columns, epoch

HALF_WIDTH = 3**0.5
LEARNING_RATE = 0.05
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


def train(params, inputs, targets):
    """The whole batches of every epoch in one `lax.scan`; what is left of the samples is left out."""
    run = jax.jit(epoch(columns, LEARNING_RATE), donate_argnums=0)
    steps = len(inputs) // BATCH
    for _ in range(sweep["epochs"]):
        order = random.permutation(len(inputs))[: steps * BATCH].astype(np.int32)
        params, _ = run(params, inputs, targets, order.reshape(steps, BATCH))
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
