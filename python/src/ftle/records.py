"""The records of a store: ``sweep.json``, and a ``cell.json`` for each network, sealed by a digest of their text."""

import hashlib
import json
import os
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftle.errors import FtleError

FORMAT = 1

Json = dict[str, Any]
"""What a record holds; other parts of a record than those that are read here may be there or not."""

_SEAL = re.compile(rb'(,?)\n "sha256": "([0-9a-f]{64})"\n\}\n\Z')
_CELL_ID = re.compile(r"[0-9a-f]{16}\Z")


def read_sweep(directory: Path) -> Json:
    """The resolved sweep, ``sweep.json``.

    Raises
    ------
    FileNotFoundError
        If the directory is none of a sweep.
    FtleError
        If the file is damaged, or another version's.
    """
    path = directory / "sweep.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the directory of a sweep, with a sweep.json, found none in {str(directory)!r}"
        )
    sweep = _unsealed(path)
    if sweep is None:
        raise FtleError(f"{path} is damaged; `ftle resume {directory}` restores it")
    return sweep


def read_cells(directory: Path) -> list[Json]:
    """Every whole ``cell.json``, in no particular order. Of damaged ones it warns."""
    cells, damaged = [], []
    for folder in _cell_folders(directory):
        try:
            record = _unsealed(folder / "cell.json")
        except FileNotFoundError:
            continue  # it is in training
        if record is not None and _is_cell(record, folder.name):
            cells.append(record)
        else:
            damaged.append(folder.name)
    if damaged:
        warnings.warn(
            f"{len(damaged)} of {len(cells) + len(damaged)} networks are left out, their cell.json is damaged "
            f"({', '.join(damaged[:3])}{', …' if len(damaged) > 3 else ''}); `ftle resume {directory}` restores them",
            stacklevel=2,
        )
    return cells


def _cell_folders(directory: Path) -> Iterator[Path]:
    try:
        entries = os.scandir(directory / "cells")
    except FileNotFoundError:
        return  # nothing is trained yet
    with entries:
        for entry in entries:
            if _CELL_ID.match(entry.name) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _unsealed(path: Path) -> Json | None:
    """What was sealed; None if it is not as it was."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return None  # to read a pipe would take forever
    text = path.read_bytes()
    seal = _SEAL.search(text, max(0, len(text) - 100))
    if seal is None:
        return None
    comma, digest = seal.groups()
    rest = text[: seal.start()] + (b"\n}\n" if comma else b"}\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        return None
    content: Json = json.loads(text)
    if content.get("format") != FORMAT:
        raise FtleError(
            f"expected a store of format {FORMAT}, found format {content.get('format')} in {path}: "
            "it was written by another version of ftle, use that version's package"
        )
    return content


def _is_cell(record: Json, name: str) -> bool:
    """Whether what paths and shapes depend on is what it should be."""
    try:
        hidden = record["physics"]["network"]["hidden"]
        return record["cell"] == name and len(hidden) > 0 and all(width >= 1 for width in hidden)
    except (KeyError, TypeError):
        return False
