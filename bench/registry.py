"""The cases of the suite by name; a case family is one module whose functions are registered here by import."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bench.measure import Row

FAMILIES = (
    "bench.loops",
    "bench.sampling",
    "bench.dynamic",
    "bench.integrated",
    "bench.overhead",
    "bench.startup",
    "bench.http_server",
    "bench.batch_gap",
    "bench.claims",
    "bench.wakeups",
    "bench.simulate",
    "bench.dispatch",
)

GROUPS = {
    "execution": (
        "sampling_20q",
        "sampling_qaoa",
        "qaoa",
        "noisy_10q",
        "clifford_100q",
        "entangled_little_50q",
        "dynamic",
    ),
}
"""Cases that are asked for together by one name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to run.

    Attributes:
        rounds: Interleaved pairs of each case.
        quick: Fewer evaluations and smaller stores: shows that the suite works, not what the product costs.
    """

    rounds: int = 5
    quick: bool = False


Run: TypeAlias = Callable[[Settings], list[Row]]

CASES: dict[str, Run] = {}


def case(name: str) -> Callable[[Run], Run]:
    """Register a case under `name`."""

    def register(run: Run) -> Run:
        if name in CASES:
            message = f"two cases are called {name}"
            raise ValueError(message)
        CASES[name] = run
        return run

    return register


def load_cases() -> dict[str, Run]:
    """Every case of every family, in the order of the table."""
    for family in FAMILIES:
        importlib.import_module(family)
    return CASES
