"""How the shots of an estimate are shared among the circuits that measure it, and when there are enough of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from antiphon.errors import LimitError


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotAllocation:
    """Shots by measured variance: a first round with a part of them, then each circuit as many as it deserves.

    With variances known, n ∝ |weight|·standard deviation gives the least error for the same shots (Neyman 1934).

    Attributes:
        precision: The standard error wanted of every value; the job's shots are then a ceiling, and it stops as soon
            as all are as small. None spends all shots.
        pilot: Part of the shots in the first round.
    """

    precision: float | None = None
    pilot: float = 0.1

    def __post_init__(self) -> None:
        if self.precision is not None and not (_is_number(self.precision) and self.precision > 1e-9):
            raise _refusal(f"precision is {self.precision!r}", "Give the standard error you want, e.g. 0.01.")
        if not (_is_number(self.pilot) and 0.01 <= self.pilot <= 0.5):
            raise _refusal(f"pilot is {self.pilot!r}", "Give a part of the shots from 0.01 to 0.5.")

    def to_json(self) -> dict[str, Any]:
        """The rule as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> ShotAllocation | None:
        """The rule that an option says: "variance" or an object; None for "coefficients", as a target does by itself.

        Raises:
            LimitError: It says something else (code "shots-invalid").
        """
        if data is None or data == "coefficients":
            return None
        if data == "variance":
            return cls()
        if not isinstance(data, Mapping):
            raise _refusal(f"it is {data!r}", 'Say "coefficients", "variance", or {"precision": 0.01}.')
        unknown = sorted(set(data) - {"precision", "pilot"})
        if unknown:
            raise _refusal(f"it has no setting {unknown[0]!r}", "Use precision and pilot.")
        return cls(**data)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _refusal(cause: str, next_step: str) -> LimitError:
    return LimitError("The shots cannot be shared as asked.", code="shots-invalid", cause=cause, next_step=next_step)
