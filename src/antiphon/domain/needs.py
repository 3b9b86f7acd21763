"""What a program needs of a target beside gates and final measurements, and whether a target offers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.domain.circuit_figures import CircuitFigures
from antiphon.domain.devices import Assessment
from antiphon.domain.programs import Profile


@dataclass(frozen=True, slots=True)
class Need:
    """The first instruction that needs a profile.

    Attributes:
        profile: The smallest that has such instructions.
        instruction: What it is, in words.
        where: Its place in the source, as far as the source has places; else "".
        way_out: How to do without it.
    """

    profile: Profile
    instruction: str
    where: str
    way_out: str

    def to_json(self) -> dict[str, Any]:
        """The need as JSON values."""
        return {
            "profile": self.profile.value,
            "instruction": self.instruction,
            "where": self.where,
            "way_out": self.way_out,
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a target does not take the program: the error that a submit would raise."""

    code: str
    message: str
    cause: str
    next_step: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a target says of a program.

    Attributes:
        target: Its name.
        profile: The largest that it runs.
        problem: Why it refuses the program; None when it takes it.
        warnings: What the user should know before it is queued, each a sentence.
        assessment: What a device's calibration says of it, with the time lost to feed-forward; None on what is no
            device, or when it refuses.
        figures: Size as it would run there; None when it refuses, or only its own engine reads it.
    """

    target: str
    profile: Profile
    problem: Problem | None = None
    warnings: tuple[str, ...] = ()
    assessment: Assessment | None = None
    figures: CircuitFigures | None = None

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        problem = self.problem
        return {
            "target": self.target,
            "profile": self.profile.value,
            "runs": problem is None,
            "problem": None
            if problem is None
            else {
                "code": problem.code,
                "message": problem.message,
                "cause": problem.cause,
                "next_step": problem.next_step,
                "details": dict(problem.details),
            },
            "warnings": list(self.warnings),
            "assessment": None if self.assessment is None else self.assessment.to_json(),
            "figures": None if self.figures is None else self.figures.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramCheck:
    """What a program is, what it needs, and what targets say of it.

    Attributes:
        name: The user's name for it.
        format: The format it came in.
        digest: Its content hash.
        profile: The smallest profile that runs it.
        needs: The first instruction for each profile above Base that it needs, from the least profile on.
        num_qubits: Its width as declared.
        registers: Name and size of each register of its result, in order of declaration.
        parameters: Names of free parameters.
        figures: Its size as submitted; None when it is no circuit.
        opaque_because: Why it is none.
        verdicts: What targets say.
    """

    name: str
    format: str
    digest: str
    profile: Profile
    needs: tuple[Need, ...]
    num_qubits: int
    registers: tuple[tuple[str, int], ...]
    parameters: tuple[str, ...]
    figures: CircuitFigures | None
    opaque_because: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether every target that was asked takes it."""
        return all(verdict.problem is None for verdict in self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """The check as JSON values."""
        return {
            "name": self.name,
            "format": self.format,
            "digest": self.digest,
            "profile": self.profile.value,
            "needs": [need.to_json() for need in self.needs],
            "num_qubits": self.num_qubits,
            "registers": [list(register) for register in self.registers],
            "parameters": list(self.parameters),
            "figures": None if self.figures is None else self.figures.to_json(),
            "opaque_because": self.opaque_because,
            "runs": self.runs,
            "targets": [verdict.to_json() for verdict in self.verdicts],
        }
