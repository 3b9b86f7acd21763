"""What a check is, and the ways it may end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from antiphon.client.kit.subject import Subject


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """One promise that a target is held to.

    Attributes:
        name: Kebab-case; what `--only` takes and a badge tells.
        promise: What the target must do, in one line.
        peers: What others got wrong, in one line.
        run: Returns the evidence, as JSON values. Raises `CheckFailedError` or `NothingToCheckError`; whatever else it
            raises is a failure too.
    """

    name: str
    promise: str
    peers: str
    run: Callable[[Subject], dict[str, Any]]
