"""Run, open and draw sweeps of ``ftle``, which maps how strongly trained neural networks stretch their inputs.

========================  ==========================================================================
:func:`ftle.run`          runs a sweep and opens it
:func:`ftle.open`         a sweep's directory as one lazy :class:`xarray.Dataset`
:func:`ftle.analyse`      computes one more analysis of a sweep's networks and opens it
:func:`ftle.analysis`     what an analysis has found, as one lazy :class:`xarray.Dataset`
:func:`ftle.save`         a model of PyTorch or Equinox as a file that the program reads
:func:`ftle.field`        the field of a model of PyTorch or Equinox, in one call
``dataset.ftle.plot()``   draws the fields, networks beside networks
========================  ==========================================================================
"""

from ftle.accessor import FtleAccessor
from ftle.analysing import analyse
from ftle.dataset import analysis, open
from ftle.errors import FtleError
from ftle.field import field
from ftle.models import save
from ftle.sweeps import run

__all__ = ["FtleAccessor", "FtleError", "analyse", "analysis", "field", "open", "run", "save"]
__version__ = "0.1.0"
