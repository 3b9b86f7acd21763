"""Observables meet the qubits they name."""

from __future__ import annotations

import functools
from typing import Any

from antiphon.client.job import Job
from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError
from antiphon.errors import LimitError

PROGRAM = f"{HEAD}qubit[3] q; x q[0]; h q[1];\n"
RIGHT = {"IIZ": -1.0, "ZII": 1.0, "IXI": 1.0, "ZXZ": -1.0}


def _run(subject: Subject) -> dict[str, Any]:
    if not subject.info.estimates:
        raise NothingToCheckError("It gives no expectation values.")
    subject.needs_qubits(3)
    asked = [{pauli: 1.0} for pauli in RIGHT]
    job = subject.accepted(functools.partial(_estimate, subject, asked))
    result = subject.finished(job)
    found = dict(zip(RIGHT, (float(value) for value in result.values), strict=True))
    errors = dict(zip(RIGHT, (float(value) for value in result.stderr), strict=True))
    # Noise shrinks a value and does not turn its sign.
    allowed = 0.05 if not subject.is_noisy else 0.75
    for pauli, right in RIGHT.items():
        if abs(found[pauli] - right) > allowed + 5 * errors[pauli]:
            raise CheckFailedError(
                f"{pauli} is {found[pauli]:.3f}; {right:g} is right (the rightmost letter is qubit 0).", values=found
            )
    return {"values": found, "standard errors": errors}


def _estimate(subject: Subject, asked: list[dict[str, float]]) -> Job:
    """Exact on a simulator, if it gives exact values: one that is elsewhere may have shots alone."""
    if not subject.is_noisy:
        try:
            return subject.target.estimate(PROGRAM, asked)
        except LimitError as error:
            if error.code != "shots-missing":
                raise
    return subject.target.estimate(PROGRAM, asked, shots=subject.shots)


OBSERVABLES = Check(
    "observables",
    "The rightmost letter of a Pauli string acts on qubit 0, and the sign is right.",
    "Estimator and sampler of one SDK counted qubits from different ends.",
    _run,
)
