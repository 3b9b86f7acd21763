"""What is asked of a simulator, and what was chosen to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.settings import Settings
from antiphon.domain.programs import Program


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a program, apart from its parameter values."""

    program: Program
    features: Features | None
    sampling: bool
    shots: int | None
    settings: Settings
    num_terms: int = 1

    @property
    def exact(self) -> bool:
        """Whether exact expectation values are asked for."""
        return not self.sampling and self.shots is None


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, why it, and what one evaluation is expected to take.

    Attributes:
        warning: What the user should know before it is queued, a sentence; "" where there is nothing.
    """

    engine: str
    reason: str
    seconds: float
    memory_bytes: int
    safe: bool = False
    warning: str = ""
