"""What a sweep's directory holds, read with no help from the program that wrote it."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Field:
    """One network at one snapshot."""

    record: dict
    snapshot: str
    zarr: Path
    weights: Path

    @property
    def hidden(self) -> list[int]:
        return self.record["physics"]["network"]["hidden"]


def stored_fields(directory: str) -> list[Field]:
    fields = []
    for folder in sorted(Path(directory, "cells").iterdir()):
        record = json.loads((folder / "cell.json").read_text())
        for entry in record["fields"]:
            snapshot = str(entry["snapshot"])
            zarr = folder / f"field-{snapshot}-{entry['field']}.zarr"
            weights = folder / f"weights-{snapshot}.safetensors"
            fields.append(Field(record, snapshot, zarr, weights))
    return fields
