"""What a record says of its network at a snapshot, under the names of ``summary.csv``."""

from collections.abc import Sequence
from typing import Any

from ftle.analyses import Analysis
from ftle.records import Json

DOCS: dict[str, dict[str, str]] = {
    "cell": {"long_name": "cell id"},
    "width": {"long_name": "width N"},
    "depth": {"long_name": "depth L"},
    "hidden": {"long_name": "widths of the hidden layers"},
    "outputs": {"long_name": "number of output neurons"},
    "weightVariance": {"long_name": "initial weight variance σ_w²"},
    "logGain": {"long_name": "ln(G N σ_w²)"},
    "seed": {"long_name": "seed"},
    "snapshot": {"long_name": "snapshot: epochs of training, or end"},
    "status": {"long_name": "outcome of the training"},
    "epoch": {"long_name": "epochs of training in the snapshot"},
    "trainLoss": {"long_name": "training loss"},
    "trainAccuracy": {"long_name": "training accuracy"},
    "testLoss": {"long_name": "test loss"},
    "testAccuracy": {"long_name": "test accuracy"},
    "lambda1Mean": {"long_name": "mean λ₁", "units": "1/layer"},
    "lambda1Std": {"long_name": "standard deviation of λ₁", "units": "1/layer"},
    "lambda1Min": {"long_name": "smallest λ₁", "units": "1/layer"},
    "lambda1Max": {"long_name": "largest λ₁", "units": "1/layer"},
    "lambda1Centre": {"long_name": "λ₁ at the centre", "units": "1/layer"},
    "lambda1Boundary": {"long_name": "λ₁ on the decision boundary", "units": "1/layer"},
    "notFinite": {"long_name": "points whose λ₁ is not finite"},
    "saturated": {"long_name": "points with a layer that is saturated beyond float32: their λ₁ is unreliable"},
    "trainSeconds": {"long_name": "time of the training", "units": "s"},
    "x": {"long_name": "first input"},
    "y": {"long_name": "second input"},
    "layer": {"long_name": "layer l"},
    "exponent": {"long_name": "number of the exponent, from the largest"},
}


def plane_docs(grid: Json) -> dict[str, dict[str, str]]:
    """What the coordinates of a field over a plane are."""
    plane = grid.get("plane")
    if plane is None:
        return {}
    if "axes" in plane:
        return {name: {"long_name": f"input {number}"} for name, number in zip("xy", plane["axes"], strict=True)}
    unit = "in units of the distance of the plane's first two points"
    return {
        "x": {"long_name": f"first coordinate in the plane, {unit}"},
        "y": {"long_name": f"second coordinate in the plane, {unit}"},
    }


def results_of(
    cells: Sequence[Json], snapshot: str, field: str | None, analyses: Sequence[Analysis]
) -> dict[str, list[float | None]]:
    """Columns of numbers, one for each network; None where there is none (yet).

    Parameters
    ----------
    field : str or None
        Id of the grid whose statistics count.
    """
    rows = [
        _trained(cell, snapshot) | _statistics(cell, snapshot, field) | _analysed(cell, snapshot, analyses)
        for cell in cells
    ]
    names = dict.fromkeys([*_trained({}, snapshot), *(name for row in rows for name in row)])
    columns = {name: [_number(row.get(name)) for row in rows] for name in names}
    if "saturated" in columns:  # absent of a field that has no such point
        mean = columns["notFinite"]
        columns["saturated"] = [
            0.0 if value is None and there is not None else value
            for value, there in zip(columns["saturated"], mean, strict=True)
        ]
    return columns


def analysis_of(cells: Sequence[Json], snapshot: str, analysis: Analysis) -> dict[str, list[float | None]]:
    """The columns of one analysis."""
    rows = [_analysed(cell, snapshot, [analysis]) for cell in cells]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [_number(row.get(name)) for row in rows] for name in names}


def _trained(cell: Json, snapshot: str) -> dict[str, Any]:
    history = cell.get("history") or {}
    weights = [one for one in cell.get("weights", []) if str(one["snapshot"]) == snapshot]
    epoch = weights[0].get("epoch") if weights else None
    return {
        "epoch": epoch,
        # What is measured in training begins with the first epoch; tests begin before it.
        "trainLoss": _at(history.get("trainLoss"), epoch, first=1),
        "trainAccuracy": _at(history.get("trainAccuracy"), epoch, first=1),
        "testLoss": _at(history.get("testLoss"), epoch, first=0),
        "testAccuracy": _at(history.get("testAccuracy"), epoch, first=0),
        "trainSeconds": (cell.get("provenance") or {}).get("seconds"),
    }


def _at(values: Sequence[float | None] | None, epoch: int | None, *, first: int) -> float | None:
    if values is None or epoch is None or not first <= epoch < first + len(values):
        return None
    return values[epoch - first]


def _statistics(cell: Json, snapshot: str, field: str | None) -> dict[str, Any]:
    for one in cell.get("fields", []):
        if one["field"] == field and str(one["snapshot"]) == snapshot:
            return dict(one["statistics"])
    return {}


def _analysed(cell: Json, snapshot: str, analyses: Sequence[Analysis]) -> dict[str, Any]:
    found = [(one.label, one.record(cell, snapshot)) for one in analyses]
    return {
        f"{label}.{column}": value
        for label, record in found
        if record is not None
        for column, value in record["columns"].items()
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
