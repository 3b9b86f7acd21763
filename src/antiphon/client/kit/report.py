"""What the kit found, for people and for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.client.kit.check import Outcome
from antiphon.domain.badges import Badge
from antiphon.domain.shown import Shown


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended.

    Attributes:
        reason: Why it failed, or why there was nothing to check; empty when it passed.
        evidence: What was seen, as JSON values.
    """

    name: str
    promise: str
    peers: str
    outcome: Outcome
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "name": self.name,
            "promise": self.promise,
            "peers": self.peers,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "evidence": dict(self.evidence),
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class KitReport(Shown):
    """What a run of the kit found. It prints well.

    Attributes:
        version: The target's.
        antiphon: The kit's.
        badge: As it was stored; None of a run that was not whole, or whose badge could not be stored.
        not_stored: Why there is no badge; empty when there is one.
    """

    target: str
    version: str
    antiphon: str
    results: tuple[CheckResult, ...]
    badge: Badge | None = None
    not_stored: str = ""

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(each for each in self.results if each.outcome is Outcome.FAILED)

    @property
    def is_good(self) -> bool:
        """Whether nothing failed and something was checked."""
        return not self.failed and any(each.outcome is Outcome.PASSED for each in self.results)

    def count(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return Counter(each.outcome for each in self.results)[outcome]

    @property
    def in_words(self) -> str:
        """Such as "15 passed, 1 failed, 2 not applicable"."""
        return ", ".join(f"{self.count(outcome)} {outcome.value}" for outcome in Outcome)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "target": self.target,
            "version": self.version,
            "antiphon": self.antiphon,
            "good": self.is_good,
            "checks": [each.to_json() for each in self.results],
            "badge": None if self.badge is None else self.badge.to_json(),
            "not_stored": self.not_stored,
        }

    def __str__(self) -> str:
        """A line a check."""
        lines = [f"{self.target} ({self.version}): {self.in_words}"]
        lines += [
            f"  {each.outcome.value:<14}  {each.name}" + (f": {each.reason}" if each.reason else "")
            for each in self.results
        ]
        return "\n".join(lines)
