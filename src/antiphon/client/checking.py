"""Checks of a program before it is submitted: what it needs, and whether a target takes it."""

from __future__ import annotations

from dataclasses import replace

from antiphon.client.connection import Connection
from antiphon.domain.circuit_figures import figures_of
from antiphon.domain.needs import Problem, ProgramCheck, Verdict
from antiphon.domain.programs import Program
from antiphon.domain.targets import TargetInfo
from antiphon.engine.requests import SubmitRequest
from antiphon.errors import AntiphonError, LimitError, MissingExtraError, ProgramError
from antiphon.frontends.needs import needs_of, profile_refusal


def check_of(program: Program) -> ProgramCheck:
    """What the program is and needs; no target is asked."""
    return ProgramCheck(
        name=program.name,
        format=program.format.value,
        digest=program.digest,
        profile=program.profile,
        needs=needs_of(program),
        num_qubits=program.num_qubits,
        registers=tuple((register.name, register.size) for register in program.registers),
        parameters=program.parameters,
        figures=None if program.circuit is None else figures_of(program.circuit),
        opaque_because=program.opaque_because,
    )


def stand_ins(program: Program) -> dict[str, float] | None:
    """Values for the free parameters of a program that is only checked: none at which a gate is special."""
    return {name: 0.1 * (1 + index) for index, name in enumerate(program.parameters)} or None


def with_verdict(check: ProgramCheck, connection: Connection, info: TargetInfo, request: SubmitRequest) -> ProgramCheck:
    """The check, and what one target says: the same that a submit would meet, and on a device what it assesses."""
    [pub] = request.pubs
    try:
        if pub.program.profile.rank > info.profile.rank:
            raise profile_refusal(pub.program, info.profile, info.name)
        found = connection.resources(request)
        verdict = Verdict(info.name, info.profile, None, found.warnings, found.assessment, found.figures)
    except (ProgramError, LimitError, MissingExtraError) as error:
        verdict = Verdict(info.name, info.profile, _problem(error))
    return replace(check, verdicts=(*check.verdicts, verdict))


def _problem(error: AntiphonError) -> Problem:
    return Problem(error.code, error.message, error.cause, error.next_step, dict(error.details))
