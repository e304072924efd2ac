"""Names that follow from content, as the program makes them."""

import hashlib
import json
import re
from decimal import Decimal
from typing import Any


def short_id(value: Any) -> str:
    """Eight hex digits that name a grid, or an analysis, among those of one network and snapshot."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:8]


def canonical(value: Any) -> str:
    """JSON with one spelling: keys sorted, no white space, numbers as ECMAScript prints them."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    size = abs(value)
    if size != 0 and not 1e-6 <= size < 1e21:
        return re.sub(r"e([+-])0", r"e\1", repr(value))
    text = format(Decimal(repr(value)), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if value else "0"
