"""What is sent: JSON, with the numbers that users really pass."""

from __future__ import annotations

import json
from typing import Any

from antiphon.errors import LimitError


def encoded(body: Any) -> bytes:
    """The body as JSON; NumPy's scalars and arrays become Python's own.

    Raises:
        LimitError: It holds something that is no JSON value (code "value-invalid").
    """
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False, default=_plain).encode()
    except (TypeError, ValueError) as error:
        raise LimitError(
            "A value of the request cannot be sent.",
            code="value-invalid",
            cause=str(error),
            next_step="Give numbers, text, lists and mappings of these; no NaN and no infinity.",
        ) from None


def _plain(value: object) -> object:
    for name in ("item", "tolist"):
        convert = getattr(value, name, None)
        if callable(convert) and (name == "tolist" or getattr(value, "ndim", 1) == 0):
            return convert()
    raise TypeError(f"a {type(value).__name__} is no JSON value")
