"""Networks of PyTorch and Equinox as files that the program reads."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

Array = npt.NDArray[Any]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "linear": lambda x: x,
}

_KINDS = "a torch.nn.Sequential of Linear and Tanh, ReLU, Sigmoid or Identity, or an equinox.nn.MLP"
_NAMES = ", ".join(ACTIVATIONS)


@dataclass(frozen=True)
class Layer:
    """One layer: ``weight`` [out, in], ``bias`` [out], and where it stands among the model's modules."""

    position: int
    weight: Array
    bias: Array


@dataclass(frozen=True)
class Network:
    """L hidden layers and the output layer, with the activations that the model shows."""

    layers: Sequence[Layer]
    activation: str | None
    output_activation: str | None


def save(
    model: Any,
    path: str | os.PathLike[str],
    activation: str | None = None,
    output_activation: str | None = None,
) -> None:
    """Writes a network as a safetensors file that ``ftle import`` reads, and PyTorch too.

    The tensors are ``0.weight`` [out, in], ``0.bias`` [out], ``2.weight`` and so on, float32, or float64 if the model's
    are: the names in the ``state_dict`` of a ``torch.nn.Sequential``, and the file's metadata names the activations. A
    layer without a bias gets one of zeros; a Softmax or LogSoftmax at the end is left out, for it changes no decision.

    Parameters
    ----------
    model : torch.nn.Sequential or equinox.nn.MLP
        ``Linear`` layers with one activation between them all: tanh, ReLU, sigmoid or none. Sequences may be nested.
    path : path
        Of the file; one that is there is written over.
    activation, output_activation : {"tanh", "relu", "sigmoid", "linear"}, optional
        Those of the hidden layers and of the output layer, if they cannot be recognised from the model.

    Raises
    ------
    TypeError
        If the model, or a part of it, is of another kind.
    ValueError
        If it has no hidden layer, its hidden layers differ in their activation, its activation is not one of these,
        or is another than the one given.
    """
    for name, given in (("activation", activation), ("output_activation", output_activation)):
        if given is not None and given not in ACTIVATIONS:
            raise ValueError(f"expected {name} to be one of {_NAMES}; got {given!r}")
    network = _network(model)
    if len(network.layers) < 2:
        raise ValueError(f"expected at least one hidden layer, found {len(network.layers) - 1}")
    dtype = np.result_type(*(layer.weight for layer in network.layers))
    tensors: dict[str, Array] = {}
    for below, layer in zip([None, *network.layers], network.layers, strict=False):
        if below is not None and layer.weight.shape[1] != len(below.weight):
            raise ValueError(
                f"expected layer {layer.position} to take the {len(below.weight)} outputs of the one before it, "
                f"found a weight of {list(layer.weight.shape)}"
            )
        tensors[f"{layer.position}.weight"] = layer.weight.astype(dtype)
        tensors[f"{layer.position}.bias"] = layer.bias.astype(dtype)
    metadata = {
        "format": "pt",
        "activation": _agreed("activation", network.activation, activation),
        "outputActivation": _agreed("output_activation", network.output_activation, output_activation),
    }
    save_file(tensors, os.fspath(path), metadata)


def _agreed(name: str, found: str | None, given: str | None) -> str:
    if found is None and given is None:
        raise ValueError(f"expected {name} as an argument, one of {_NAMES}: the model's is none of them")
    if found is not None and given is not None and found != given:
        raise ValueError(f"expected {name} to be the model's, {found!r}; got {given!r}")
    return found or given or ""


def _network(model: Any) -> Network:
    # A model of theirs is there only if they are loaded.
    torch, equinox = sys.modules.get("torch"), sys.modules.get("equinox")
    if torch is not None and isinstance(model, torch.nn.Module):
        return _of_torch(model, torch)
    if equinox is not None and isinstance(model, equinox.Module):
        return _of_equinox(model, equinox)
    raise TypeError(f"expected {_KINDS}; got {_kind(model)}")


def _of_torch(model: Any, torch: Any) -> Network:
    if not isinstance(model, torch.nn.Sequential):
        raise TypeError(f"expected {_KINDS}; got {_kind(model)}. Give the part of the model that is one.")
    modules = _flat(model, torch)
    while modules and isinstance(modules[-1], torch.nn.Softmax | torch.nn.LogSoftmax):
        modules.pop()
    names = {
        torch.nn.Tanh: "tanh",
        torch.nn.ReLU: "relu",
        torch.nn.Sigmoid: "sigmoid",
        torch.nn.Identity: "linear",
    }
    layers: list[Layer] = []
    activations: list[str] = []  # of each layer
    for position, module in enumerate(modules):
        if type(module) is torch.nn.Linear:
            bias = None if module.bias is None else _of_tensor(module.bias)
            layers.append(_layer(position, _of_tensor(module.weight), bias))
            activations.append("linear")
        elif type(module) in names:
            name = names[type(module)]
            if not layers:
                raise ValueError(f"expected a Linear first, found {_kind(module)} before any")
            if name != "linear" and activations[-1] != "linear":
                raise ValueError(f"expected one activation after a Linear, found {activations[-1]} and {name}")
            if name != "linear":
                activations[-1] = name
        else:
            raise TypeError(
                f"expected Linear and Tanh, ReLU, Sigmoid or Identity, found {_kind(module)} at position {position}"
            )
    hidden = set(activations[:-1])
    if len(hidden) > 1:
        found = ", ".join(activations[:-1])
        raise ValueError(f"expected the same activation in all hidden layers, found {found}")
    return Network(layers, next(iter(hidden), None), activations[-1] if activations else None)


def _flat(model: Any, torch: Any) -> list[Any]:
    """The modules in their order, those of nested sequences in their place."""
    found: list[Any] = []
    for module in model:
        found += _flat(module, torch) if isinstance(module, torch.nn.Sequential) else [module]
    return found


def _of_tensor(tensor: Any) -> Array:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":  # numpy has none
        tensor = tensor.float()
    return np.asarray(tensor.numpy())


def _of_equinox(model: Any, equinox: Any) -> Network:
    if not isinstance(model, equinox.nn.MLP):
        raise TypeError(f"expected {_KINDS}; got {_kind(model)}. Give the part of the model that is one.")
    pairs: list[tuple[Array, Array | None]] = []
    for layer in model.layers:
        weight = np.asarray(layer.weight)
        bias = None if layer.bias is None else np.asarray(layer.bias)
        if weight.ndim == 3:  # scan=True stacks the hidden layers
            biases = [None] * len(weight) if bias is None else list(bias)
            pairs += zip(weight, biases, strict=True)
        else:
            pairs.append((weight, bias))
    # As in a torch.nn.Sequential, with an activation after each layer.
    layers = [_layer(2 * i, weight, bias) for i, (weight, bias) in enumerate(pairs)]
    return Network(layers, _recognised(model.activation), _recognised(model.final_activation))


def _layer(position: int, weight: Array, bias: Array | None) -> Layer:
    if weight.dtype.kind != "f" and str(weight.dtype) != "bfloat16":
        raise TypeError(f"expected weights of real numbers, found {weight.dtype} at position {position}")
    dtype = np.float64 if weight.dtype == np.float64 else np.float32
    filled = np.zeros(len(weight)) if bias is None else bias
    return Layer(position, np.ascontiguousarray(weight, dtype), np.ascontiguousarray(filled, dtype))


_PROBE = np.array([-20.0, -6.5, -3.0, -1.0, -0.3, 0.0, 0.3, 1.0, 3.0, 6.5, 20.0], np.float32)


def _recognised(function: Any) -> str | None:
    """The activation that takes these values, whatever it is called."""
    try:
        values = np.asarray(function(_PROBE))
    except Exception:  # it wants something else: it is none of ours
        return None
    for name, known in ACTIVATIONS.items():
        if values.shape == _PROBE.shape and np.allclose(values, known(_PROBE), rtol=1e-4, atol=1e-6):
            return name
    return None


def _kind(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
