"""The analyses of a sweep: what their columns are called, and which of a network's records are theirs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftle.identity import canonical, short_id
from ftle.records import Json

DEFAULTS: dict[str, Json] = {
    "exponents": {"at": "test", "count": 2},
    "predictions": {"at": "test"},
    "ensemble": {"at": "test"},
    "margin": {"at": "test", "norm": "l2", "samples": 200, "steps": 100, "step": 0.05},
    "ridges": {"percentile": 80, "smoothing": 0.5, "minimumLength": 4},
    "weights": {},
    "layers": {},
}
"""Options that are not in the labels of analyses, as the program's ``ftle analyses --json`` has them."""

_VERSIONS = range(1, 33)
"""A sweep does not say which version of an analysis it is of; the version is a part of what the id is made of."""


@dataclass(frozen=True)
class Analysis:
    """One entry of ``analyses`` in a sweep.

    Attributes
    ----------
    name : str
    label : str
        What its columns begin with: the name, and the options that are not as by default, as ``exponents-at-train``.
    options : dict
        All of them.
    ids : dict
        By cell, what names the results of this analysis. Those of an ensemble differ from cell to cell.
    """

    name: str
    label: str
    options: Json
    ids: Mapping[str, str]

    def record(self, cell: Json, snapshot: str) -> Json | None:
        """What is stored of a network."""
        key = self.ids.get(cell["cell"])
        return next((one for one in _records(cell, snapshot) if one["id"] == key), None)


def analyses_of(sweep: Json, cells: Sequence[Json], field: str | None) -> list[Analysis]:
    """In the sweep's order.

    Parameters
    ----------
    field : str or None
        Id of the grid, which is a part of the ids of analyses that read fields.
    """
    asked = sweep["sweep"].get("analyses", [])
    stored = {one["id"] for cell in cells for one in cell.get("analyses", [])}
    keys = [_key(one, field, stored) for one in asked]
    found = []
    for one, key in zip(asked, keys, strict=True):
        if key is None:
            ids = _ids_of_seeds(one, [base for base in keys if base is not None], cells, sweep, stored)
        else:
            ids = {cell["cell"]: key for cell in cells}
        found.append(Analysis(one["name"], _label(one), one["options"], ids))
    return found


def chosen(analyses: Sequence[Analysis], name: str, options: Mapping[str, Any] | None) -> Analysis:
    """The analysis of that name or label, and with these options; of several, the one whose others are as by default.

    Raises
    ------
    ValueError
        If the sweep has none, or several.
    """
    given = dict(options or {})
    named = [one for one in analyses if name in (one.name, one.label)]
    found = [one for one in named if given.items() <= one.options.items()]
    exact = [one for one in found if one.label == name or one.options == DEFAULTS.get(one.name, {}) | given]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0]
    labels = ", ".join(one.label for one in found or analyses) or "none"
    if found:
        raise ValueError(f"expected options that only one analysis has; found {labels}")
    what = " with ".join([name, *filter(None, [", ".join(f"{key}={value}" for key, value in given.items())])])
    raise ValueError(
        f"expected an analysis of the sweep, which has {labels}; got {what}. `ftle.analyse` computes another one"
    )


def _records(cell: Json, snapshot: str) -> list[Json]:
    return [one for one in cell.get("analyses", []) if str(one["snapshot"]) == snapshot]


def _key(analysis: Json, field: str | None, stored: set[str]) -> str | None:
    """What names it; None if nothing is stored under such a name, as it is of analyses that read several networks."""
    for version in reversed(_VERSIONS):
        content = _content(analysis, version)
        reads = [content] if field is None else [content, content | {"field": field}]
        for key in map(short_id, reads):
            if key in stored:
                return key
    return None


def _content(analysis: Json, version: int) -> Json:
    return {"name": analysis["name"], "version": version, "options": analysis["options"]}


def _ids_of_seeds(
    analysis: Json, bases: Sequence[str], cells: Sequence[Json], sweep: Json, stored: set[str]
) -> dict[str, str]:
    """Of an analysis that reads another one of all networks that differ in their seed alone."""
    if not bases or not any(one["name"] == analysis["name"] for cell in cells for one in cell.get("analyses", [])):
        return {}
    groups = _seed_groups(cells, sweep["sweep"]["axes"]["seed"])
    for version in reversed(_VERSIONS):
        key = short_id(_content(analysis, version))
        for base in bases:
            ids = {
                cell: short_id({"id": key, "base": base, "cells": group}) for group in groups for cell in group
            }
            if not stored.isdisjoint(ids.values()):
                return ids
    return {}


def _seed_groups(cells: Sequence[Json], seeds: Sequence[int]) -> list[list[str]]:
    groups: dict[str, dict[int, str]] = {}
    for cell in cells:
        if cell["physics"].get("seed") in seeds:
            rest = {name: part for name, part in cell["physics"].items() if name != "seed"}
            key = json.dumps(rest, sort_keys=True)
            groups.setdefault(key, {})[cell["physics"]["seed"]] = cell["cell"]
    return [[group[seed] for seed in seeds if seed in group] for group in groups.values()]


def _label(analysis: Json) -> str:
    standard = DEFAULTS.get(analysis["name"], {})
    others = {key: value for key, value in analysis["options"].items() if standard.get(key) != value}
    return "-".join([analysis["name"], *(f"{key}-{_plain(value)}" for key, value in others.items())])


def _plain(value: Any) -> str:
    """As ECMAScript makes a text of it."""
    if isinstance(value, list):
        return ",".join(map(_plain, value))
    return value if isinstance(value, str) else canonical(value)
