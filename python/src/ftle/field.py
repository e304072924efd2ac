"""The field of a network that was trained elsewhere."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ftle.dataset import open as open_sweep
from ftle.errors import FtleError
from ftle.models import save
from ftle.program import call


def field(
    model: Any,
    region: tuple[float, float, float, float] | None = None,
    plane: Mapping[str, Any] | None = None,
    points: int = 256,
    *,
    activation: str | None = None,
    output_activation: str | None = None,
) -> xr.Dataset:
    """Computes λ₁ of a network over a rectangle of a plane in its input space.

    Parameters
    ----------
    model : torch.nn.Sequential or equinox.nn.MLP, or path
        What :func:`ftle.save` takes; or the path of a file that it wrote, or of an ONNX file.
    region : (x0, x1, y0, y1), optional
        The rectangle, in units of the plane's coordinates; by default from −1 to 1, and of a plane through three points
        from −0.5 to 1.5.
    plane : mapping, optional
        Where in the input space the rectangle lies; for networks of more than two inputs.

        - ``dict(through=[a, b, c])``: the plane of three points. ``a`` is (0, 0) in it, ``b`` is (1, 0), and ``c`` lies
          above; the unit is the distance of ``a`` and ``b``
        - ``dict(axes=(i, j), at=point)``: inputs ``i`` and ``j``, from 0, are the coordinates, and the others are as at
          the point

        A point is an array or a list of all inputs; one of several dimensions, as an image, is taken row by row.
    points : int, default 256
        Per side, at the centres of equal squares.
    activation, output_activation : str, optional
        As :func:`ftle.save` takes them; of files that do not say.

    Returns
    -------
    xarray.Dataset
        In memory: ``lambda1``, ``direction``, ``output`` [y, x] and the statistics, as :func:`ftle.open` gives them.
        Over a plane ``lambda1`` and ``lambda2`` are the exponents of the whole Jacobian; ``planeLambda1`` and
        ``direction`` are of what is stretched within the plane.

    Raises
    ------
    ValueError
        If `plane` is none of these.
    FtleError
        With the program's message, for instance if the points do not have as many numbers as the network has inputs.

    Examples
    --------
    >>> ftle.field(model, region=(-1, 1, -1, 1)).lambda1.plot()                    # doctest: +SKIP
    >>> ftle.field(model, plane=dict(through=images[:3])).lambda1.plot()           # doctest: +SKIP
    >>> ftle.field(model, plane=dict(axes=(0, 3), at=np.zeros(5)), points=512)     # doctest: +SKIP
    """
    grid: dict[str, Any] = {"points": int(points)}
    if plane is not None:
        grid["plane"] = _plane(plane)
    if region is None and "through" not in (plane or {}):
        region = (-1.0, 1.0, -1.0, 1.0)
    if region is not None:
        x0, x1, y0, y1 = (float(value) for value in region)
        grid["region"] = {"x": [x0, x1], "y": [y0, y1]}
    with tempfile.TemporaryDirectory(prefix="ftle-") as folder:
        if isinstance(model, str | os.PathLike):
            file = Path(model).absolute()
        else:
            file = Path("model.safetensors")  # beside the spec
            save(model, Path(folder, file), activation, output_activation)
        network = {"activation": activation, "outputActivation": output_activation}
        spec = {
            "name": re.sub(r"^[._-]+", "", re.sub(r"[^0-9A-Za-z._-]+", "-", file.stem))[:80] or "imported",
            "axes": {"network.weights": [str(file)]},
            "network": {name: value for name, value in network.items() if value is not None},
            "field": grid,
        }
        return _computed(spec, Path(folder))


def _computed(spec: Mapping[str, Any], folder: Path) -> xr.Dataset:
    """The one network's field."""
    file, out = folder / "spec.json", folder / "sweep"
    file.write_text(json.dumps(spec, allow_nan=False), encoding="utf-8")  # JSON is YAML
    try:
        call(["run", str(file), "--out", str(out), "--json", "--quiet", "--no-plot"])
    except FtleError as error:
        raise FtleError(str(error).replace(str(file), "spec"), code=error.code) from None
    return open_sweep(out).load().isel(cell=0)


def _plane(plane: Mapping[str, Any]) -> dict[str, Any]:
    """As a spec has it."""
    if set(plane) == {"through"}:
        points = [_point(point, f"point {number} of the plane") for number, point in enumerate(plane["through"])]
        if len(points) != 3:
            raise ValueError(f"expected a plane through three points, got {len(points)}")
        return {"through": points}
    if set(plane) == {"axes", "at"}:
        return {"axes": [int(axis) for axis in plane["axes"]], "at": _point(plane["at"], "`at` of the plane")}
    keys = ", ".join(map(str, plane)) or "nothing"
    raise ValueError(f"expected a plane with `through`, or with `axes` and `at`; got {keys}")


def _point(point: Any, name: str) -> list[float]:
    """All inputs."""
    if hasattr(point, "detach"):  # of PyTorch, perhaps on another device
        point = point.detach().cpu()
    try:
        values = np.asarray(point, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected numbers for {name}, one for each input; got {point!r}") from error
    if not np.isfinite(values).all():
        raise ValueError(f"expected finite numbers for {name}")
    return [float(value) for value in values]
