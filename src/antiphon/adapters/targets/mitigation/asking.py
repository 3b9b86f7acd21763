"""What a job asks of mitigation and allocation, and what it asks in vain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.adapters.targets.mitigation.instances import Methods
from antiphon.domain.allocation import ShotAllocation
from antiphon.domain.mitigation import Mitigation, refusal
from antiphon.domain.work import Pub
from antiphon.errors import LimitError, UnsupportedProgramError

OPTION_HELP = {
    "mitigation": "What is done about errors: an object of readout, twirling, dynamical_decoupling, zne, pec, "
    "sentinel; antiphon.Mitigation makes it.",
    "allocation": 'How an estimate\'s shots are shared: "coefficients" (default), "variance" (a first round shows '
    'where they count), or {"precision": 0.01} to stop at that standard error.',
}


@dataclass(frozen=True)
class Asked:
    """The options of a work that are this wrapper's own, and what is left for the target."""

    mitigation: Mitigation
    methods: Methods
    allocation: ShotAllocation | None
    left: Mapping[str, Any]

    @property
    def changes_anything(self) -> bool:
        """False where the options say what the target does by itself."""
        return bool(self.mitigation) or self.allocation is not None

    @property
    def told(self) -> dict[str, Any]:
        """The settings of mitigation as JSON values; empty where there is none."""
        if not self.mitigation:
            return {}
        settings = self.mitigation.to_json()
        if self.methods.readout is not None:
            settings["readout"] = {**settings["readout"], "method": self.methods.readout.method}
        return settings


def read_asked(options: Mapping[str, Any]) -> Asked | None:
    """The options of a work that are read here; None where there are none.

    Raises:
        ProgramError, LimitError: They are not what they have to be.
    """
    if not any(name in options for name in OPTION_HELP):
        return None
    given = options.get("mitigation")
    mitigation = Mitigation() if given is None or given is False else Mitigation.from_json(given)
    if not mitigation:
        mitigation = Mitigation(sentinel=False)
    left = {name: value for name, value in options.items() if name not in OPTION_HELP}
    return Asked(mitigation, Methods.of(mitigation), ShotAllocation.from_json(options.get("allocation")), left)


def check_pub(pub: Pub, asked: Asked, target: str) -> None:
    """Refuse what cannot be done to a pub whatever its circuit.

    Raises:
        UnsupportedProgramError: It has no circuit (code "mitigation-unsupported").
        LimitError: Shots are missing, or nothing to be shared (code "shots-invalid").
        ProgramError: Exact probabilities are asked for too (code "mitigation-invalid").
    """
    if pub.program.circuit is None:
        raise UnsupportedProgramError(
            "A program without a circuit cannot be varied, so it cannot be mitigated.",
            code="mitigation-unsupported",
            cause=pub.program.opaque_because,
            next_step="Run it without mitigation.",
            details={"target": target},
        )
    if pub.observables is None and asked.allocation is not None:
        raise LimitError(
            "Shots are shared among the circuits of an estimate, and this job samples counts.",
            code="shots-invalid",
            next_step="Leave allocation out, or use estimate.",
        )
    if pub.observables is not None and pub.shots is None:
        raise LimitError(
            "Exact values have no shots that could be shared or mitigated.",
            code="shots-invalid",
            next_step="Give shots or a precision, or leave mitigation and allocation out.",
        )
    if asked.left.get("exact_probabilities"):
        raise refusal(
            "readout" if asked.methods.readout else "twirling",
            "exact probabilities are asked for too",
            "Leave exact_probabilities out: they have no errors to mitigate.",
        )


def check_dynamic(methods: Methods) -> None:
    """Refuse what cannot be done to a program that measures, resets or branches on its way.

    Raises:
        ProgramError: Code "mitigation-invalid".
    """
    names = ("twirling", "dynamical_decoupling", "zne", "pec")
    asked = dict(zip(names, (methods.twirling, methods.decoupling, methods.zne, methods.pec), strict=True))
    for name, method in asked.items():
        if method is not None:
            raise refusal(
                name,
                "the program measures, resets or branches on its way, and what a variation of it does there is not "
                "known before it runs",
                "Use readout correction alone, which corrects the bits that are measured last.",
            )
