"""The field of a network that was trained elsewhere."""

import os
import tempfile
from pathlib import Path
from typing import Any

import xarray as xr

from ftle.dataset import open as open_sweep
from ftle.models import save
from ftle.program import call


def field(
    model: Any,
    region: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0),
    plane: Any = None,
    points: int = 256,
    *,
    activation: str | None = None,
    output_activation: str | None = None,
) -> xr.Dataset:
    """Computes λ₁ of a network over a rectangle of its input plane, with the program's ``ftle import``.

    Parameters
    ----------
    model : torch.nn.Sequential or equinox.nn.MLP, or path
        Two inputs, and what :func:`ftle.save` says; or the path of a file that it wrote.
    region : (x0, x1, y0, y1)
        The rectangle, in units of the inputs.
    plane : None
        For networks of more than two inputs; not in this version of the package.
    points : int, default 256
        Per side, at the centres of equal squares.
    activation, output_activation : str, optional
        As :func:`ftle.save` takes them.

    Returns
    -------
    xarray.Dataset
        In memory: ``lambda1``, ``direction``, ``output`` [y, x] and the statistics, as :func:`ftle.open` gives them.
    """
    if plane is not None:
        raise NotImplementedError("expected plane to be None: planes of more than two inputs are not supported yet")
    x0, x1, y0, y1 = (float(value) for value in region)
    with tempfile.TemporaryDirectory(prefix="ftle-") as folder:
        out = Path(folder, "sweep")
        if isinstance(model, str | os.PathLike):
            file = Path(model)
        else:
            file = Path(folder, "model.safetensors")
            save(model, file, activation, output_activation)
        corners = ",".join(map(repr, (x0, x1, y0, y1)))
        arguments = ["import", str(file), "--out", str(out), f"--region={corners}", "--points", str(points)]
        call([*arguments, "--json", "--quiet"])
        dataset = open_sweep(out).load()
        return dataset.isel(cell=0)
