"""The axes of a sweep, and the value that a stored network has on each."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ftle.records import Json

Value = int | float | str

_RESERVED = frozenset(
    "width depth hidden weightVariance seed logGain snapshot epoch cell status name layer x y lambda1 direction output".split()
)

_GAIN = {"tanh": 1.0, "linear": 1.0, "sigmoid": 1 / 16, "relu": 1 / 2}
"""G of each activation: σ_w² is critical where G N σ_w² = 1."""


@dataclass(frozen=True)
class Axis:
    """One dimension of the lattice.

    Attributes
    ----------
    name : str
        As in ``summary.csv``: ``width``, or of an option as ``training.batch`` its last part, if that is unambiguous.
    values : list
        As the sweep has them, in its order, each once.
    path : str or None
        Of an option of ``network``, ``data`` or ``training``.
    """

    name: str
    values: list[Value]
    path: str | None = None


def axes_of(sweep: Json) -> list[Axis]:
    """The dimensions of the lattice, slowest first, in the order of ``ftle export --format zarr``."""
    axes = sweep["sweep"]["axes"]
    variance = axes["weightVariance"]
    kind = "logGain" if variance["kind"] == "logGain" else "weightVariance"
    parameters = axes.get("parameters", [])
    names = _names([one["path"] for one in parameters])
    layers = axes["layers"]
    is_imported = layers["kind"] == "imported"  # from files, which are an axis of their own; not random
    found = [] if is_imported else [Axis(kind, _once(map(float, variance["values"])))]
    found.append(Axis("seed", _once(axes["seed"])))
    found += [Axis(names[one["path"]], _once(one["values"]), one["path"]) for one in parameters]
    if is_imported:
        return found
    if layers["kind"] == "explicit":
        return [*found, Axis("hidden", _once("-".join(map(str, one)) for one in layers["hidden"]))]
    return [*found, Axis("width", _once(layers["width"])), Axis("depth", _once(layers["depth"]))]


def places_of(cells: Sequence[Json], axes: Sequence[Axis], sweep: Json) -> dict[str, list[Value | None]]:
    """Each network's value on every axis, and on ``width``, ``depth``, ``hidden``, ``weightVariance``, ``logGain``, ``seed``.

    None where it has none, as a network from elsewhere has no initial variance.
    """
    places: dict[str, list[Value | None]] = {}
    for name, value in _COMMON.items():
        places[name] = [value(cell["physics"]) for cell in cells]
    for axis in axes:
        if axis.path == "network.weights":
            places[axis.name] = _files(cells, sweep)
        elif axis.path is not None:
            places[axis.name] = _options(cells, axis, axis.path)
        elif axis.name == "logGain":
            places[axis.name] = [_nearest(value, axis.values) for value in places[axis.name]]
    return places


def _hidden(physics: Json) -> list[int]:
    return list(physics["network"]["hidden"])


def _variance(physics: Json) -> float | None:
    value = (physics.get("initialisation") or {}).get("weightVariance")
    return None if value is None else float(value)


def _log_gain(physics: Json) -> float | None:
    """ln(G N σ_w²); −∞ for σ_w² = 0."""
    variance, gain = _variance(physics), _GAIN.get(physics["network"].get("activation"))
    if variance is None or gain is None:
        return None
    return math.log(gain * _hidden(physics)[0] * variance) if variance > 0 else -math.inf


_COMMON: dict[str, Any] = {
    "width": lambda physics: max(_hidden(physics)),
    "depth": lambda physics: len(_hidden(physics)),
    "hidden": lambda physics: "-".join(map(str, _hidden(physics))),
    "weightVariance": _variance,
    "logGain": _log_gain,
    "seed": lambda physics: physics.get("seed"),
}


def _nearest(value: Value | None, values: Iterable[Value]) -> Value | None:
    """The axis' own value where they differ by rounding: σ_w² is stored, and it has been rounded."""
    for one in values:
        if isinstance(value, float) and math.isclose(value, float(one), rel_tol=1e-9, abs_tol=1e-9):
            return one
    return value


def _files(cells: Sequence[Json], sweep: Json) -> list[Value | None]:
    """The file that each network is from, as the sweep names it: a record knows its digest."""
    names: dict[str, str] = {}
    for name, network in sweep["sweep"].get("networks", {}).items():
        names.setdefault(network["digest"], name)
    return [names.get(cell["physics"].get("initialisation", {}).get("weights", "")) for cell in cells]


def _options(cells: Sequence[Json], axis: Axis, path: str) -> list[Value | None]:
    """Each network's value of an option.

    An option that came later is absent from the physics while it has its default, and then stands there with no value
    at all: it has the one value of the axis that no network names.
    """
    found = [_option(cell["physics"], path) for cell in cells]
    if None in found:
        unnamed = [value for value in axis.values if value not in found]
        if len(unnamed) == 1:
            return [unnamed[0] if value is None else value for value in found]
    return found


def _option(physics: Json, path: str) -> Value | None:
    section, *steps = path.split(".")
    at: Any = physics.get(section, {})
    if path == "training.schedule":
        at = at.get("schedule", "constant")
    elif path == "network.thresholdVariance":
        at = physics.get("initialisation", {}).get("thresholdVariance")
    elif path == "training.learningRate":
        at = at.get("optimizer", {}).get("learningRate")
    else:
        if section == "data" and steps != ["name"]:
            at = at.get("options", {})
        for step in steps:
            at = at.get(step) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at = at.get("name")
    return None if at is None or isinstance(at, list) else _plain(at)


def _plain(value: Value) -> Value:
    """As in ``summary.csv`` and in exports, where a boolean is a word."""
    return str(value).lower() if isinstance(value, bool) else value


def _once(values: Iterable[Value]) -> list[Value]:
    """Zipped axes may have a value twice."""
    return list(dict.fromkeys(map(_plain, values)))


def _names(paths: Sequence[str]) -> dict[str, str]:
    lasts = [path.rpartition(".")[2] for path in paths]
    return {
        path: last if lasts.count(last) == 1 and last not in _RESERVED else path
        for path, last in zip(paths, lasts, strict=True)
    }
