"""A circuit with a sweep and repetitions, as the pub of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cirq
import sympy

from antiphon.cirq.results import PubFacts
from antiphon.client.job import Job
from antiphon.client.target import Target
from antiphon.domain.noise import NoiseModel
from antiphon.domain.programs import Program
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest
from antiphon.errors import ProgramError
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program

Read = tuple[PubRequest, PubFacts]


def read_circuit(circuit: cirq.AbstractCircuit, params: cirq.Sweepable, repetitions: int) -> Read | None:
    """The pub of a circuit and every parameter set of `params`; None for a sweep without points.

    A resolver may hold more than the circuit's parameters, and formulas of them, as everywhere in Cirq.

    Raises:
        ProgramError: The circuit cannot be accepted, or a parameter has no value.
    """
    if not isinstance(circuit, cirq.AbstractCircuit):
        raise ProgramError(
            f"A {type(circuit).__name__} is not a Cirq circuit.",
            next_step="Use target.submit of antiphon.Workspace for programs of other SDKs.",
        )
    resolvers = list(cirq.to_resolvers(params))
    if not resolvers:
        return None
    program = to_program(circuit)
    if program.parameters:
        rows = [_values(program, resolver) for resolver in resolvers]
        sets = bind(program, rows[0] if len(rows) == 1 else rows)
    else:
        # Points of a sweep that the circuit does not depend on are still points.
        sets = bind(program, None if len(resolvers) == 1 else [{} for _ in resolvers])
    registers = [(register.name, register.size) for register in program.registers]
    facts = PubFacts.of(registers, cirq.measurement_key_names(circuit), resolvers)
    return PubRequest(program, sets, repetitions), facts


def submit_circuits(target: Target, reads: Sequence[Read], **options: Any) -> Job:
    """One job of all the pubs.

    Raises:
        ProgramError, LimitError: The job is refused; nothing is stored.
        SessionEndedError: The open session takes no more jobs.
    """
    pubs = [pub for pub, _ in reads]
    kind = JobKind.BATCH if len(pubs) > 1 else JobKind.SWEEP if pubs[0].parameters.shape else JobKind.SAMPLE
    metadata = {"sdk": "cirq", **options.pop("metadata", {})}
    noise = options.pop("noise", None)
    if noise is not None:
        if not isinstance(noise, NoiseModel):
            raise ProgramError(
                f"A {type(noise).__module__}.{type(noise).__qualname__} is not a noise model that Antiphon applies.",
                code="noise-invalid",
                next_step="Give antiphon.NoiseModel(depolarizing_1q=…, depolarizing_2q=…, readout_p01=…, …).",
            )
        options["noise"] = noise
    return target.submit_pubs(kind, pubs, metadata=metadata, **options)


def _values(program: Program, resolver: cirq.ParamResolver) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in program.parameters:
        value = resolver.value_of(name)
        if not (isinstance(value, sympy.Basic) and value.free_symbols):
            found[name] = value
    return found
