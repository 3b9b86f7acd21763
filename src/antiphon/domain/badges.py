"""Badges: how a target did when the contract kit was last run against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """The outcome of one whole run of the kit.

    Attributes:
        target: Name of the target.
        version: The target's version then; with another one the badge says nothing any more.
        antiphon: Version of the kit.
        at: When it was given, seconds since the epoch.
        by: Who ran the kit.
        passed: How many checks passed.
        not_applicable: How many had nothing to check on this target.
        failed: Names of the checks that failed.
    """

    target: str
    version: str
    antiphon: str
    at: float
    by: str
    passed: int
    not_applicable: int
    failed: tuple[str, ...] = ()

    @property
    def checks(self) -> int:
        """How many checks there were."""
        return self.passed + self.not_applicable + len(self.failed)

    @property
    def is_good(self) -> bool:
        """Whether nothing failed and something was checked."""
        return not self.failed and self.passed > 0

    def is_stale(self, version: str) -> bool:
        """Whether the target has changed since."""
        return self.version != version

    def in_words(self, version: str) -> str:
        """Such as "passed", "2 failed" or "stale", for a target that has this version now."""
        if self.is_stale(version):
            return "stale"
        return "passed" if self.is_good else f"{len(self.failed)} failed" if self.failed else "nothing checked"

    def to_json(self) -> dict[str, Any]:
        """The badge as JSON values."""
        return {
            "target": self.target,
            "version": self.version,
            "antiphon": self.antiphon,
            "at": self.at,
            "by": self.by,
            "passed": self.passed,
            "not_applicable": self.not_applicable,
            "failed": list(self.failed),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Badge:
        """The inverse of `to_json`."""
        return cls(**{**data, "failed": tuple(data["failed"])})
