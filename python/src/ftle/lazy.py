"""Arrays that stay in their files until they are asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from xarray.backends import BackendArray
from xarray.core import indexing

from ftle.errors import FtleError

Array = npt.NDArray[Any]


class LazyArrays(BackendArray):
    """One array (``lambda1``, ``direction``, …) of many networks, each in a Zarr group of its own.

    An index opens the groups of the networks that it selects, and reads the chunks that it touches. What is not stored,
    networks or tiles, is NaN, and so is what one network has fewer of than others, as layers.

    Parameters
    ----------
    folders : ndarray of str
        Shape [*lattice*]: where each network's group is; empty where there is no network.
    name : str
        Of the array in the group.
    shape : tuple of int
        Of one network, as large as the largest.
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
        """The selected part of one network's array."""
        try:
            array = _open(folder, self.name)
            if array is None:
                return np.nan
            if array.shape == self.inner:
                return np.asarray(array.oindex[key])
            return self._padded(array, key)
        except (ValueError, OSError) as error:
            path = Path(folder, self.name)
            raise FtleError(f"cannot read {path}: {error}; `ftle resume` rewrites damaged files") from error

    def _padded(self, array: "zarr.Array[Any]", key: tuple[Any, ...]) -> Array:
        """Of an array that is shorter than the largest: all that is there along these axes, then the selected."""
        is_short = [there < most for there, most in zip(array.shape, self.inner, strict=True)]
        # An integer takes its axis away, which is left to the end.
        lists = [np.array([one]) if isinstance(one, int | np.integer) else one for one in key]
        now = [slice(None) if short else one for short, one in zip(is_short, lists, strict=True)]
        then = [one if short else slice(None) for short, one in zip(is_short, lists, strict=True)]
        taken = [0 if isinstance(one, int | np.integer) else slice(None) for one in key]
        read = np.asarray(array.oindex[tuple(now)])
        lengths = [most if short else there for short, most, there in zip(is_short, self.inner, read.shape, strict=True)]
        padded = np.full(lengths, np.nan, self.dtype)
        padded[tuple(map(slice, read.shape))] = read
        return _outer(_outer(padded, tuple(then)), tuple(taken))


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
