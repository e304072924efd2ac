"""Stores for the tests, made by the real program: ``FTLE_PROGRAM``, or ``ftle`` on the path."""

import os

os.environ["MPLBACKEND"] = "agg"

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ftle.program import command

if "FTLE_PROGRAM" in os.environ:  # paths in it start here, and tests run in folders of their own
    words = shlex.split(os.environ["FTLE_PROGRAM"])
    os.environ["FTLE_PROGRAM"] = shlex.join(os.path.abspath(word) if os.path.isfile(word) else word for word in words)

RATES = """
name: rates
axes:
  width: [4, 8]
  depth: [1, 3]
  weightVariance: {logGain: [-0.5, 0]}
  seed: [3, 1]
  training.batch: [20, 50]
  network.activation: [tanh, linear]
where: seed == 1 or width == 4
data: {name: circle, samples: 200}
training: {epochs: 2, snapshots: [0, end]}
field: {points: 40, tile: 16, layers: all}
"""

MANY = """
name: many
axes: {width: 2..11, depth: 1..2, seed: {count: 10}}
data: {name: circle, samples: 60}
training: {epochs: 1}
field: {points: 8}
"""

CLASSES = """
name: classes
axes: {hidden: [[6, 4], [8]], training.schedule: [constant, cosine]}
data: {name: gaussians, classes: 3, samples: 300}
training: {loss: softmax-cross-entropy, epochs: 3}
field: {points: 16}
"""

PLANES = """
name: planes
axes: {width: 6, depth: [1, 3], seed: [3, 1]}
data: {name: gaussians, classes: 3, dimensions: 5, samples: 200}
training: {loss: softmax-cross-entropy, epochs: 2, snapshots: [0, end]}
field: {plane: {through: [{test: 0}, {train: 4}, [0, 0.5, -1, 2.25, 1e-7]]}, points: 24}
analyses:
  - exponents
  - exponents: {at: train, count: 3}
  - {margin: {samples: 12, step: 0.000002}}
  - predictions
  - {predictions: {at: train}}
  - ridges
  - {ridges: {percentile: 90, smoothing: 0.75}}
  - weights
  - ensemble
  - {ensemble: {at: train}}
"""


def run_program(*arguments: str) -> str:
    ended = subprocess.run([*command(), *arguments], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def make(folder: Path, spec: str) -> Path:
    file = folder / "spec.yaml"
    file.write_text(spec)
    run_program("run", str(file), "--out", str(folder / "sweep"), "--no-plot", "--quiet")
    return folder / "sweep"


@pytest.fixture(scope="session")
def rates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 networks over every kind of axis, in part of a lattice; fields of all layers and of nine tiles, two snapshots."""
    return make(tmp_path_factory.mktemp("rates"), RATES)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 networks, a full lattice."""
    return make(tmp_path_factory.mktemp("many"), MANY)


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four networks with explicit layers that tell three classes apart."""
    return make(tmp_path_factory.mktemp("classes"), CLASSES)


@pytest.fixture(scope="session")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four networks of five inputs, of two depths and two seeds: fields over a plane, and analyses of every kind."""
    return make(tmp_path_factory.mktemp("planes"), PLANES)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """Copies a store, to be changed."""

    def copied(store: Path) -> Path:
        return Path(shutil.copytree(store, tmp_path / "copy", symlinks=True))

    return copied
