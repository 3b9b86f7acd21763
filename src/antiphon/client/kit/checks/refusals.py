"""What cannot run is refused before it is queued, by its kind, with a way out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.long_runs import ENDLESS
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError
from antiphon.domain.programs import Profile
from antiphon.errors import AntiphonError, LimitError, ParameterError, ProgramError

LONGEST_TEXT = 4_000_000


def _run(subject: Subject) -> dict[str, Any]:
    limits = subject.info.limits
    seen: dict[str, str] = {}
    name = subject.new_name("refusals")
    key = secrets.token_hex(16)

    def refused(what: str, kind: type[AntiphonError], program: str, shots: int = 1, **options: Any) -> None:
        seen[what] = _refused(what, kind, lambda: subject.target.submit(program, shots, name=name, key=key, **options))

    wide = f"{HEAD}qubit[{limits.max_qubits + 1}] q; bit[{limits.max_qubits + 1}] c; x q; c = measure q;\n"
    if limits.max_qubits < LONGEST_TEXT:
        refused("more qubits than it has", LimitError, wide)
    refused("more shots than it takes", LimitError, PROGRAM, limits.max_shots + 1)
    refused("no shots", LimitError, PROGRAM, 0)
    refused("an option it does not have", ProgramError, PROGRAM, no_such_option=1)
    refused("a parameter without a value", ParameterError, PROGRAM.replace("qubit", "input float a; qubit", 1))
    refused("text that is no program", ProgramError, f"{HEAD}qubit[2] q; bit[2] c; frobnicate q[0]; c = measure q;\n")
    if not subject.offers(Profile.ADAPTIVE):
        refused("a loop that its profile does not have", ProgramError, ENDLESS)
    if stored := subject.find(name):
        raise CheckFailedError("Something that was refused is a job.", jobs=[job.id for job in stored])
    # A refusal has not used up the key.
    job = subject.accepted(lambda: subject.target.submit(PROGRAM, subject.shots, key=key, name=name))
    if sum(subject.finished(job).counts.values()) != subject.shots:
        raise CheckFailedError("The key of a refused submit brings back something else.", job=job.id)
    return {"codes": seen}


def _refused(what: str, kind: type[AntiphonError], submit: Callable[[], object]) -> str:
    try:
        submit()
    except AntiphonError as error:
        if not isinstance(error, kind):
            raise CheckFailedError(
                f"{what.capitalize()} should be refused as {kind.__name__}, not as {type(error).__name__}.",
                code=error.code,
            ) from error
        if not (error.code and error.message and error.next_step):
            raise CheckFailedError(f"The refusal of {what} does not say what to do.", code=error.code) from error
        return error.code
    raise CheckFailedError(f"{what.capitalize()} is not refused before it is queued.")


REFUSALS = Check(
    "refusals",
    "What cannot run is refused before it is queued, with the kind of error and what to do.",
    "Errors hours later, out of the queue and billed, that said null: null.",
    _run,
)
