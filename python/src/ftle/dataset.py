"""A sweep's directory as one dataset: its fields, or an analysis."""

import os
from collections.abc import Mapping
from typing import Any

import xarray as xr

from ftle.backend import FtleBackend


def open(
    directory: str | os.PathLike[str],
    *,
    snapshot: int | str = "end",
    lattice: bool = False,
    chunks: Any = None,
) -> xr.Dataset:
    """Opens a sweep, finished or running: every network that is stored, as one lazy dataset.

    Only the networks' records are read. Fields stay in their files until they are asked for: ``ds.lambda1[0].values``
    reads one. Open it again to see what a running sweep has stored since.

    Parameters
    ----------
    directory : path
        Of the sweep, with ``sweep.json`` in it.
    snapshot : int or "end", default "end"
        When in training: after so many epochs, 0 for the initial networks.
    lattice : bool, default False
        Lay the networks out over the sweep's axes, in place of the dimension ``cell``. The dimensions are those of
        ``ftle export --format zarr``: ``logGain`` (of the axis ``critical``) or ``weightVariance``, ``seed``, options
        that vary, ``width`` and ``depth`` (or ``hidden``). Where the sweep has no network, or it is not stored yet,
        numbers are NaN and texts empty.
    chunks : int, dict or "auto", optional
        As in :func:`xarray.open_dataset`: dask arrays; ``{}`` for a chunk of each network's field.

    Returns
    -------
    xarray.Dataset
        Variables of fields, float32, lazy, NaN where nothing is stored:

        - ``lambda1`` [cell, y, x]: λ₁ = (1/L) ln σ_max(J), in 1/layer; [cell, layer, y, x] with ``layers: all``,
          with as many layers as the deepest network has
        - ``direction``, of the same shape: angle of maximal stretching in the input plane, in radian
        - ``output`` [cell, y, x]: what the network decides; positive for the second of two classes, or the number of
          the class, of more than two
        - over planes in more than two inputs also ``lambda2``, the second exponent (``lambda1`` is that of the whole
          Jacobian), and ``planeLambda1``, the largest within the plane, as ``direction`` is

        Variables [cell] under the names of ``summary.csv``: ``epoch``, ``trainLoss``, ``trainAccuracy``, ``testLoss``,
        ``testAccuracy``, ``trainSeconds`` (in s), and the statistics of complete fields, ``lambda1Mean``,
        ``lambda1Boundary`` and others; those of the sweep's analyses as ``<analysis>.<column>``.

        Coordinates: ``cell`` (the id), ``width``, ``depth``, ``hidden`` (as ``"10-10"``), ``weightVariance``,
        ``logGain``, ``seed``, ``outputs``, each option that the sweep varies, ``status`` (``trained`` or ``diverged``);
        ``x``, ``y`` (and ``layer``) of the fields; ``snapshot``.

    Raises
    ------
    FileNotFoundError
        If there is no sweep in the directory.
    ValueError
        If the sweep has no such snapshot, or with `lattice` two networks have the same place, as networks of several
        sweeps in one directory may.
    FtleError
        If the store is damaged or of another version; later also where a damaged field is read.

    Examples
    --------
    >>> ds = ftle.open("fig2")                                            # doctest: +SKIP
    >>> ds.lambda1[(ds.width == 10) & (ds.depth == 8)].mean("cell")       # doctest: +SKIP
    >>> ftle.open("fig2", lattice=True).lambda1.sel(width=10, depth=8)    # doctest: +SKIP
    """
    dataset = xr.open_dataset(
        directory, engine=FtleBackend, chunks=chunks, cache=False, snapshot=snapshot, lattice=lattice
    )
    return _with_the_rest_in_memory(dataset)


def analysis(
    directory: str | os.PathLike[str],
    name: str,
    *,
    snapshot: int | str = "end",
    options: Mapping[str, Any] | None = None,
    lattice: bool = False,
    chunks: Any = None,
) -> xr.Dataset:
    """Opens what an analysis has found of every network of a sweep, as one lazy dataset.

    The networks' records are read, and what says how large their arrays are; arrays when they are asked for.

    Parameters
    ----------
    directory : path
        Of the sweep, with ``sweep.json`` in it.
    name : str
        Of the analysis, or what its columns begin with, as ``exponents-at-train``.
    snapshot : int or "end", default "end"
        When in training.
    options : mapping, optional
        As ``{"at": "train"}``: which one, where the sweep has the analysis several times.
    lattice, chunks
        As :func:`ftle.open` takes them.

    Returns
    -------
    xarray.Dataset
        Arrays [cell, …], float32, lazy, under the names of ``docs/analyses.md``: of ``exponents`` for instance
        ``lambda`` [cell, sample, exponent]. Where networks differ in how many they have, as of ridges in vertices, all
        are as long as the longest, and the rest is NaN, as it is where nothing is stored. An array whose name is one of
        an axis of the sweep has a ``_`` behind it.

        Variables [cell] as :func:`ftle.open` gives them, of this analysis: ``exponents.mean``. The same coordinates;
        ``layer`` and ``exponent``, from 1, where there are such dimensions.

    Raises
    ------
    FileNotFoundError
        If there is no sweep in the directory.
    ValueError
        If the sweep has no such analysis or snapshot, or has several and `options` does not say which.
    FtleError
        If the store is damaged or of another version; later also where a damaged array is read.

    Warns
    -----
    UserWarning
        If the results of some networks are damaged: they are left out.

    Examples
    --------
    >>> ftle.analysis("mnist", "exponents")["lambda"].sel(exponent=1)     # doctest: +SKIP
    >>> ridges = ftle.analysis("fig2", "ridges").isel(cell=0)             # doctest: +SKIP
    >>> ridges.vertices.dropna("vertex")                                  # doctest: +SKIP
    """
    dataset = xr.open_dataset(
        directory,
        engine=FtleBackend,
        chunks=chunks,
        cache=False,
        snapshot=snapshot,
        lattice=lattice,
        analysis=name,
        options=options,
    )
    return _with_the_rest_in_memory(dataset)


def _with_the_rest_in_memory(dataset: xr.Dataset) -> xr.Dataset:
    """What is not read from files when it is asked for is in memory, and is shown so."""
    for variable in dataset.variables.values():
        if "preferred_chunks" not in variable.encoding:
            variable.load()
    return dataset
