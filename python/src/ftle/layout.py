"""How the networks of a dataset are laid out: one after the other, or over the lattice of the sweep's axes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ftle.axes import Axis, Value
from ftle.records import Json

Array = npt.NDArray[Any]
Places = Mapping[str, Sequence[Value | None]]
"""By the name of an axis, each network's value."""

MOST_PLACES = 10_000_000
"""Of a lattice: zipped axes span far more places than they have networks."""


@dataclass(frozen=True)
class Layout:
    """Which network is where.

    Attributes
    ----------
    dims : tuple of str
    numbers : ndarray of int
        Shape of the dimensions: the number of the network, or −1 where there is none.
    """

    dims: tuple[str, ...]
    numbers: Array

    def put(self, values: Sequence[Value | None]) -> Array:
        """Each network's value in its place: NaN, or for text an empty one, where there is none."""
        if any(isinstance(value, str) for value in values):
            texts = ["" if value is None else str(value) for value in values]
            return np.asarray(np.array([*texts, ""])[self.numbers])
        is_whole = all(isinstance(value, int) for value in values) and bool((self.numbers >= 0).all())
        numbers = [math.nan if value is None else value for value in values]
        none: list[Any] = [0 if is_whole else math.nan]
        return np.asarray(np.array(numbers + none, np.int64 if is_whole else np.float64)[self.numbers])


def in_order(cells: Sequence[Json], axes: Sequence[Axis], places: Places) -> list[int]:
    """The networks' numbers in the order of ``summary.csv``; those that are not of the sweep last."""
    slowest_first = sorted(axes, key=lambda axis: (axis.name in _FAST, axis.name in ("width", "depth", "hidden")))
    columns = [(places[axis.name], {value: i for i, value in enumerate(axis.values)}) for axis in slowest_first]

    def rank(number: int) -> list[tuple[float, float, str]]:
        ranks = []
        for values, index in columns:
            value = values[number]
            size = value if isinstance(value, int | float) else math.inf
            ranks.append((index.get(value, math.inf) if value is not None else math.inf, size, str(value)))
        return ranks

    def is_foreign(number: int) -> bool:
        return any(values[number] is None or values[number] not in index for values, index in columns)

    return sorted(range(len(cells)), key=lambda number: (is_foreign(number), rank(number), cells[number]["cell"]))


_FAST = frozenset(["weightVariance", "logGain", "width", "depth", "hidden"])


def row(cells: Sequence[Json]) -> Layout:
    """All networks along the dimension ``cell``."""
    return Layout(("cell",), np.arange(len(cells)))


def lattice(cells: Sequence[Json], axes: Sequence[Axis], places: Places) -> Layout:
    """The sweep's networks over its axes; those of other sweeps in the directory have no place.

    Raises
    ------
    ValueError
        If networks have the same place, or there are far more places than networks.
    """
    shape = tuple(len(axis.values) for axis in axes)
    if math.prod(shape) > MOST_PLACES:
        raise ValueError(
            f"expected a lattice of at most {MOST_PLACES} places, found {' × '.join(map(str, shape))}; "
            "open the sweep without lattice=True"
        )
    index = [{value: i for i, value in enumerate(axis.values)} for axis in axes]
    numbers = np.full(shape, -1)
    for number in range(len(cells)):
        values = [places[axis.name][number] for axis in axes]
        place = tuple(of.get(value, -1) if value is not None else -1 for of, value in zip(index, values, strict=True))
        if -1 in place:
            continue
        if numbers[place] >= 0:
            raise ValueError(_two_at(axes, values, cells[numbers[place]], cells[number]))
        numbers[place] = number
    return Layout(tuple(axis.name for axis in axes), numbers)


def _two_at(axes: Sequence[Axis], values: Sequence[Value | None], one: Json, other: Json) -> str:
    place = ", ".join(f"{axis.name}={value}" for axis, value in zip(axes, values, strict=True))
    paths = ", ".join(_differences(one["physics"], other["physics"]))
    return (
        f"expected one network at {place}, found {one['cell']} and {other['cell']}, of several sweeps in the "
        f"directory, which differ in {paths}; open it without lattice=True, and select"
    )


def _differences(one: Any, other: Any, path: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [
            found
            for key in keys
            for found in _differences(one.get(key), other.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if one == other else [path]
