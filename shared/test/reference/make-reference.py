"""Writes network.json: exponents, outputs, losses and gradients of tiny networks, by other means.

NumPy in float64. Derivatives by complex step, f'(x) = Im f(x + ih)/h with h = 1e-30, which has no
rounding error worth mentioning and shares nothing with back-propagation (Squire & Trapp, SIAM Rev. 40,
110 (1998)); singular values and vectors by LAPACK. Run: python make-reference.py
"""

import json
from pathlib import Path

import numpy as np

H = 1e-30

ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda b: 1 / (1 + np.exp(-b)),
    "relu": lambda b: np.where(b.real > 0, b, 0),
    "linear": lambda b: b,
}


def hidden(net, layers, x):
    """x^(1) … x^(L) for inputs x [samples, inputs]."""
    states = []
    for W, bias in layers[:-1]:
        x = ACTIVATIONS[net["activation"]](x @ W.T + bias)
        states.append(x)
    return states


def local_field(net, layers, x):
    W, bias = layers[-1]
    return hidden(net, layers, x)[-1] @ W.T + bias


def loss(name, net, layers, x, t):
    """Mean over the samples of the per-sample sum."""
    b = local_field(net, layers, x)
    if name == "squared-error":
        value = ((ACTIVATIONS[net["outputActivation"]](b) - t) ** 2).sum(axis=1)
    elif name == "softmax-cross-entropy":
        value = np.log(np.exp(b).sum(axis=1)) - (t * b).sum(axis=1)
    else:
        p = 1 / (1 + np.exp(-b))
        value = -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(axis=1)
    return value.mean()


def gradient(name, net, layers, x, t):
    result = []
    for parameters in layers:
        parts = []
        for values in parameters:
            grad = np.zeros(values.size)
            for i in range(values.size):
                moved = values.astype(complex)
                moved.flat[i] += 1j * H
                changed = [tuple(moved if p is values else p for p in layer) for layer in layers]
                grad[i] = loss(name, net, changed, x, t).imag / H
            parts.append(grad.tolist())
        result.append({"weight": parts[0], "bias": parts[1]})
    return result


def stretching(net, layers, point):
    """λ_1, λ_2 and θ of every hidden layer at one point."""
    columns = []
    for i in range(2):
        moved = point.astype(complex)
        moved[i] += 1j * H
        columns.append([state[0].imag / H for state in hidden(net, layers, moved[None, :])])
    rows = []
    for l, (c0, c1) in enumerate(zip(*columns), start=1):
        _, s, vt = np.linalg.svd(np.stack([c0, c1], axis=1))
        angle = np.arctan2(vt[0, 1], vt[0, 0])
        angle = angle - np.pi if angle > np.pi / 2 else angle + np.pi if angle <= -np.pi / 2 else angle
        rows.append([np.log(s[0]) / l, np.log(s[1]) / l, angle])
    return rows


def case(name, activation, output_activation, outputs, seed):
    rng = np.random.default_rng(seed)
    widths = [2, 4, 3, 5, outputs]
    net = {
        "inputs": 2,
        "hidden": widths[1:-1],
        "outputs": outputs,
        "activation": activation,
        "outputActivation": output_activation,
    }
    layers = [
        (rng.normal(size=(m, n)).round(4), rng.normal(size=m).round(4))
        for n, m in zip(widths, widths[1:])
    ]
    # Multiples of 1/64: float32 holds them exactly.
    x = (rng.normal(size=(6, 2)) * 64).round() / 64
    if name == "squared-error":
        t = rng.choice([-1.0, 1.0], size=(6, outputs))
    elif name == "softmax-cross-entropy":
        t = np.eye(outputs)[rng.integers(outputs, size=6)]
    else:
        t = rng.choice([0.0, 1.0], size=(6, outputs))
    g = ACTIVATIONS[output_activation]
    return {
        "loss": name,
        "network": net,
        "weights": [{"weight": W.ravel().tolist(), "bias": b.tolist()} for W, b in layers],
        "inputs": x.ravel().tolist(),
        "targets": t.ravel().tolist(),
        "outputs": g(local_field(net, layers, x)).ravel().tolist(),
        "meanLoss": loss(name, net, layers, x, t),
        "gradient": gradient(name, net, layers, x, t),
        "stretching": [stretching(net, layers, point) for point in x],
    }


cases = [
    case("squared-error", "tanh", "tanh", 1, 1),
    case("softmax-cross-entropy", "sigmoid", "linear", 3, 2),
    case("binary-cross-entropy", "tanh", "sigmoid", 1, 3),
    case("squared-error", "linear", "sigmoid", 2, 4),
]
path = Path(__file__).with_name("network.json")
path.write_text(json.dumps({"numpy": np.__version__, "cases": cases}) + "\n")
