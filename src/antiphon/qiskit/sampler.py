"""SamplerV2: Qiskit's sampler over the jobs of a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.sampler_pub import SamplerPub

from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest
from antiphon.errors import ProgramError
from antiphon.frontends.parameters import bind
from antiphon.qiskit.options import SamplerOptions
from antiphon.qiskit.primitive import Primitive
from antiphon.qiskit.primitive_job import AntiphonPrimitiveJob
from antiphon.qiskit.results import PubFacts


class SamplerV2(Primitive[SamplerOptions], BaseSamplerV2):  # type: ignore[misc]
    """Samples circuits: one `run` is one job, of however many pubs and parameter sets.

    Args:
        mode: An `AntiphonBackend`, a `Session` or `Batch`, or None for the innermost open `with`.
        options: `SamplerOptions` or a dict of them.

    Raises:
        AntiphonError: There is no such mode or option; says which there are.
    """

    _options_kind = SamplerOptions

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> AntiphonPrimitiveJob:
        """Submit one job.

        Args:
            pubs: Circuits, or tuples (circuit, parameter values, shots); values are arrays whose last axis runs over
                the circuit's parameters, or mappings.
            shots: For pubs without their own; default is `options.default_shots`.

        Returns:
            The job. In its result, `data.<register>` is a `BitArray` of the shape of the pub's parameter values.

        Raises:
            ValueError, TypeError: Qiskit's own checks of a pub.
            ProgramError, LimitError: The job is refused; nothing is stored.
            SessionEndedError: The session takes no more jobs.
        """
        default = self._options.default_shots if shots is None else shots
        requests: list[PubRequest] = []
        facts: list[PubFacts] = []
        circuits: list[QuantumCircuit] = []
        for index, given in enumerate(pubs):
            pub = SamplerPub.coerce(given, default)
            try:
                program = self._mode.backend.read(pub.circuit)
                values = pub.parameter_values.as_array(pub.circuit.parameters) if program.parameters else None
                sets = bind(program, values)
            except ProgramError as error:
                error.message = f"Pub {index}: {error.message}"
                raise
            if not program.parameters and pub.shape:
                raise ProgramError(
                    f"Pub {index} has an array of parameter values, but its circuit has no parameters.",
                    next_step="Leave the values out, and ask for more shots instead.",
                )
            requests.append(PubRequest(program, sets, int(pub.shots)))
            circuits.append(pub.circuit)
            registers = tuple((register.name, register.size) for register in program.registers)
            facts.append(PubFacts(registers, circuit_metadata=pub.circuit.metadata))
        job = self._mode.submit("sampler", _kind(requests), requests, circuits, self._options)
        return AntiphonPrimitiveJob(self._mode.backend, job, facts)


def _kind(requests: list[PubRequest]) -> JobKind:
    if len(requests) != 1:
        return JobKind.BATCH
    return JobKind.SWEEP if requests[0].parameters.shape else JobKind.SAMPLE
