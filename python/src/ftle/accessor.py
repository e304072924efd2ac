"""``dataset.ftle``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import xarray as xr

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@xr.register_dataset_accessor("ftle")  # type: ignore[no-untyped-call, unused-ignore]
class FtleAccessor:
    """What datasets of :func:`ftle.open` can do besides what every dataset can."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def plot(
        self,
        rows: str | None = None,
        columns: str | None = None,
        *,
        only: Mapping[str, Any] | None = None,
        quantity: Literal["L*lambda1", "lambda1", "output"] = "L*lambda1",
        boundary: bool = True,
        directions: bool = False,
        limit: float | Literal["auto"] = "auto",
        layer: int | None = None,
    ) -> "Figure":
        """Draws the fields of a sweep, networks beside networks, as ``ftle plot`` does.

        Reads the fields that it draws. Needs matplotlib (``pip install "ftle[plot]"``).

        Parameters
        ----------
        rows, columns : str, optional
            Coordinates whose values make the rows and the columns. By default ``width`` and ``depth``, or, of a sweep
            that varies neither, the first that vary.
        only : mapping, optional
            Values of coordinates, as ``{"seed": 2}``. Where others than the rows' and the columns' vary and are not
            named here, the first value of each is drawn; the title says which.
        quantity : {"L*lambda1", "lambda1", "output"}
            L·λ₁, the logarithm of the largest stretching; λ₁, in 1/layer; or what the networks decide.
        boundary : bool, default True
            Draw the decision boundary.
        directions : bool, default False
            Draw the directions of maximal stretching.
        limit : float or "auto"
            The colours reach from −limit to limit; by default the 99.5 % quantile of the magnitudes, rounded up.
        layer : int, optional
            Hidden layer l, from 1, of fields of all layers; by default each network's last.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If the dataset has no fields, no such coordinates, or no network with these values.
        """
        from ftle.figures import Style, draw

        style = Style(quantity=quantity, boundary=boundary, directions=directions, limit=limit, layer=layer)
        return draw(self._dataset, rows=rows, columns=columns, only=only or {}, style=style)
