"""ftle.open: what it reads, counted in opened files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ftle

_opened: list[Path] | None = None


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], str | Path):
        _opened.append(Path(arguments[0]))


@pytest.fixture(scope="module", autouse=True)
def audited() -> None:
    sys.addaudithook(_hook)


@contextmanager
def opened(store: Path) -> Iterator[list[Path]]:
    """The files of the store that are opened meanwhile, by their path in it, in any thread."""
    global _opened
    found: list[Path] = []
    _opened = []
    try:
        yield found
    finally:
        found += [path.relative_to(store) for path in _opened if path.is_relative_to(store)]
        _opened = None


@pytest.mark.parametrize("lattice", [False, True])
def test_opening_reads_the_records_and_no_field(many: Path, lattice: bool) -> None:
    with opened(many) as files:
        ds = ftle.open(many, lattice=lattice)
        repr(ds)
    records = [path for path in files if path.name == "cell.json"]
    assert len(records) == len(set(records)) == 200
    others = [path for path in files if path.name != "cell.json"]
    assert len(others) <= 6, others  # the sweep, and metadata and coordinates of one field
    assert not any(path.parent.name in ("lambda1", "direction", "output") for path in files)


def test_indexing_reads_that_field_only(rates: Path) -> None:
    ds = ftle.open(rates)
    with opened(rates) as files:
        ds.lambda1[5].load()
    cell = ds.cell[5].item()
    assert {path.parts[:2] for path in files} == {("cells", cell)}
    tiles = [path for path in files if path.name.startswith("c.")]
    assert len(tiles) == 9 and {path.parent.name for path in tiles} == {"lambda1"}


def test_indexing_reads_the_tiles_that_it_touches(rates: Path) -> None:
    ds = ftle.open(rates)
    with opened(rates) as files:
        ds.output.isel(cell=[1, 30], y=slice(0, 8), x=39).load()
    tiles = [path for path in files if path.name.startswith("c.")]
    assert {path.name for path in tiles} == {"c.0.2"} and len(tiles) == 2


def test_selecting_from_a_lattice_reads_what_is_selected(many: Path) -> None:
    ds = ftle.open(many, lattice=True)
    with opened(many) as files:
        ds.lambda1.sel(width=5, depth=2).load()
    assert len({path.parts[1] for path in files}) == 10  # the seeds


def test_opening_an_analysis_reads_none_of_its_arrays(planes: Path) -> None:
    with opened(planes) as files:
        ds = ftle.analysis(planes, "ridges", lattice=True)
        repr(ds)
    assert len([path for path in files if path.name == "cell.json"]) == 4
    assert len([path for path in files if path.parent.name.startswith("ridges-end-")]) == 4
    assert {path.name for path in files} == {"sweep.json", "cell.json", "zarr.json"}
    with opened(planes) as files:
        ds.value.sel(seed=1, depth=3).load()
    assert {path.parent.name for path in files if path.name.startswith("c.")} == {"value"}
    assert len({path.parts[1] for path in files}) == 1
