"""What a program takes: on targets, asked where they are, and with error correction, estimated where the program is.

The estimator of error correction follows the whole program, for as long as that takes. So it runs in the process that
has the program, never in a server, which strangers could keep busy with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from antiphon.client.connection import Connection
from antiphon.composition import estimate_fault_tolerant
from antiphon.domain.circuit_figures import figures_of
from antiphon.domain.resources import FaultTolerant, Refused, Resources, TargetResources
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.errors import AntiphonError, LimitError, MissingExtraError, ProgramError

QUBIT_MODEL = "qubit_gate_ns_e3"
ERROR_BUDGET = 0.001


def on_each(connection: Connection, requests: Iterable[SubmitRequest]) -> tuple[TargetResources | Refused, ...]:
    """What a program takes on each target; one that does not take it says why.

    Raises:
        LimitError: The shots are no number of shots, on whatever target (code "shots-invalid").
    """
    found: list[TargetResources | Refused] = []
    for request in requests:
        try:
            found.append(connection.resources(request))
        except (ProgramError, LimitError, MissingExtraError) as error:
            if error.code == "shots-invalid" and not _is_number_of_shots(request.pubs[0].shots):
                raise
            found.append(_refused(request.target, error))
    return tuple(found)


def _is_number_of_shots(shots: object) -> bool:
    return isinstance(shots, int) and not isinstance(shots, bool) and shots >= 1


def with_error_correction(pub: PubRequest, model: str, error_budget: float) -> FaultTolerant | Refused:
    """What the program takes with error correction, or why that cannot be said.

    Raises:
        LimitError: There is no such model, or no such probability.
    """
    try:
        return estimate_fault_tolerant(pub.program, pub.parameters, model=model, error_budget=error_budget)
    except (ProgramError, MissingExtraError) as error:
        return _refused("fault-tolerant", error)


def together(
    pub: PubRequest,
    targets: tuple[TargetResources | Refused, ...],
    fault_tolerant: FaultTolerant | Refused | None,
) -> Resources:
    """All of it."""
    program = pub.program
    return Resources(
        program=program.name,
        digest=program.digest,
        shots=pub.shots,
        figures=None if program.circuit is None else figures_of(program.circuit),
        targets=targets,
        fault_tolerant=fault_tolerant,
    )


def _refused(what: str, error: AntiphonError) -> Refused:
    return Refused(what=what, code=error.code, message=error.message, next_step=error.next_step)
