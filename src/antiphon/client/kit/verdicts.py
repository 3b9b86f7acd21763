"""How a check says that it failed, or that there is nothing to check."""

from __future__ import annotations

from typing import Any


class CheckFailedError(Exception):
    """The target does not keep the promise.

    Args:
        reason: What was expected and what came, in one or two sentences.
        evidence: As JSON values.
    """

    def __init__(self, reason: str, **evidence: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.evidence = evidence


class NothingToCheckError(Exception):
    """The promise does not concern this target; the reason says why."""

    def __init__(self, reason: str, **evidence: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.evidence = evidence
