"""Fields that stay in their files until they are asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from xarray.backends import BackendArray
from xarray.core import indexing

from ftle.errors import FtleError

Array = npt.NDArray[Any]


class LazyFields(BackendArray):
    """One array (``lambda1``, ``direction``, …) of many networks, each in a Zarr group of its own.

    An index opens the groups of the networks that it selects, and reads the chunks that it touches. What is not stored,
    networks, layers or tiles, is NaN.

    Parameters
    ----------
    folders : ndarray of str
        Shape [*lattice*]: where each network's group is; empty where there is no network.
    name : str
        Of the array in the group.
    shape : tuple of int
        Of one network: [layer, y, x] or [y, x].
    dtype : numpy dtype
    """

    def __init__(self, folders: Array, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.folders = folders
        self.name = name
        self.inner = shape
        self.shape = (*folders.shape, *shape)
        self.dtype = np.dtype(dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        support = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._read)

    def _read(self, key: tuple[Any, ...]) -> Array:
        networks, inside = key[: self.folders.ndim], key[self.folders.ndim :]
        folders = _outer(self.folders, networks)
        nothing = np.broadcast_to(np.array(np.nan, self.dtype), self.inner)
        values = np.full((*np.shape(folders), *_outer(nothing, inside).shape), np.nan, self.dtype)
        for place in np.ndindex(np.shape(folders)):
            folder = str(folders[place]) if place else str(folders)
            if folder:
                values[place] = self._read_one(folder, inside)
        return values

    def _read_one(self, folder: str, key: tuple[Any, ...]) -> Array | float:
        """The selected points of one network."""
        try:
            array = _open(folder, self.name)
            if array is None:
                return np.nan
            if len(self.inner) == 2:
                return np.asarray(array.oindex[key])
            layer, *plane = key
            read = np.asarray(array.oindex[(slice(None), *plane)])
        except (ValueError, OSError) as error:
            path = Path(folder, self.name)
            raise FtleError(f"cannot read {path}: {error}; `ftle resume` rewrites damaged files") from error
        # A shallower network has fewer layers than the deepest. A chunk holds all of its layers.
        layers = np.full((self.inner[0], *read.shape[1:]), np.nan, self.dtype)
        layers[: len(read)] = read
        return np.asarray(layers[layer])


def _open(folder: str, name: str) -> zarr.Array[Any] | None:
    """By the group's copy of its arrays' metadata, so that links into ``grids/`` are not needed; None if it has none."""
    try:
        group = zarr.open_group(folder, mode="r", zarr_format=3)
    except (FileNotFoundError, zarr.errors.GroupNotFoundError):
        return None
    array = group.get(name)
    return array if isinstance(array, zarr.Array) else None


def _outer(array: Array, key: tuple[int | slice | Array, ...]) -> Array:
    """Each axis indexed on its own; an integer takes its axis away."""
    for axis in reversed(range(len(key))):
        array = array[(slice(None),) * axis + (key[axis],)]
    return array
