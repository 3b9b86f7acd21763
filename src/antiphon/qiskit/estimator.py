"""EstimatorV2: Qiskit's estimator over the jobs of a workspace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp

from antiphon.domain.observables import Observable
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest
from antiphon.errors import LimitError, ProgramError
from antiphon.frontends.observables import to_observables
from antiphon.frontends.parameters import bind
from antiphon.qiskit.backend import AntiphonBackend
from antiphon.qiskit.options import EstimatorOptions
from antiphon.qiskit.primitive import Primitive
from antiphon.qiskit.primitive_job import AntiphonPrimitiveJob
from antiphon.qiskit.results import PubFacts

_Read = tuple[Program, ParameterSets, tuple[Observable, ...], tuple[int, ...]]


class EstimatorV2(Primitive[EstimatorOptions], BaseEstimatorV2):  # type: ignore[misc]
    """Estimates expectation values: one `run` is one job, of however many pubs.

    Args:
        mode: An `AntiphonBackend`, a `Session` or `Batch`, or None for the innermost open `with`.
        options: `EstimatorOptions` or a dict of them.

    Raises:
        AntiphonError: There is no such mode or option; says which there are.
    """

    _options_kind = EstimatorOptions

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> AntiphonPrimitiveJob:
        """Submit one job.

        Args:
            pubs: Tuples (circuit, observables, parameter values, precision); observables and values broadcast by
                NumPy's rules.
            precision: Standard error wanted of pubs without their own; default is that of the options. 0 gives exact
                values; otherwise ⌈1/precision²⌉ shots are taken, as Qiskit does.

        Returns:
            The job. In its result, `data.evs` and `data.stds` have the broadcast shape.

        Raises:
            ValueError, TypeError: Qiskit's own checks of a pub.
            ProgramError, LimitError: The job is refused; nothing is stored.
            SessionEndedError: The session takes no more jobs.
        """
        requests: list[PubRequest] = []
        facts: list[PubFacts] = []
        circuits: list[QuantumCircuit] = []
        for index, pub in enumerate(pubs):
            try:
                (program, sets, observables, shape), circuit, own = _read(pub, self._mode.backend)
            except ProgramError as error:
                error.message = f"Pub {index}: {error.message}"
                raise
            wanted, shots = self._shots(own, precision)
            requests.append(PubRequest(program, sets, shots, observables, shape))
            circuits.append(circuit)
            facts.append(PubFacts((), wanted, circuit.metadata))
        job = self._mode.submit("estimator", JobKind.ESTIMATE, requests, circuits, self._options)
        return AntiphonPrimitiveJob(self._mode.backend, job, facts)

    def _shots(self, own: Any, given: Any) -> tuple[float, int | None]:
        """The precision wanted, and the shots that it takes; None for exact values."""
        precision = own if own is not None else given
        if precision is None:
            if self._options.default_shots is not None:
                return 1 / math.sqrt(self._options.default_shots), self._options.default_shots
            precision = self._options.default_precision
        if not (isinstance(precision, int | float | np.floating) and math.isfinite(precision) and precision >= 0):
            raise LimitError(
                f"precision={precision!r} is not a non-negative number.",
                code="shots-invalid",
                next_step="Give the standard error you want, e.g. 0.01, or 0 for exact values.",
            )
        return float(precision), math.ceil(1 / precision**2) if precision else None


def _read(pub: Any, backend: AntiphonBackend) -> tuple[_Read, QuantumCircuit, float | None]:
    quick = _read_plain(pub, backend)
    if quick is not None:
        return quick, pub[0], pub[3] if len(pub) > 3 else None
    checked = EstimatorPub.coerce(pub)
    program = backend.read(checked.circuit)
    observables, shape = to_observables(checked.observables.sparse_observables_array(), program)
    values = checked.parameter_values.as_array(checked.circuit.parameters) if program.parameters else None
    sets = bind(program, values)
    if not program.parameters and checked.parameter_values.shape:
        raise ProgramError(
            "An array of parameter values is given, but the circuit has no parameters.",
            next_step="Leave the values out.",
        )
    return (program, sets, observables, shape), checked.circuit, checked.precision


def _read_plain(pub: Any, backend: AntiphonBackend) -> _Read | None:
    """The pub of a hybrid loop, a circuit with Pauli sums and an array, past Qiskit's containers.

    They copy and sort every term of every observable on every call; what was read before costs one comparison here.
    """
    if not isinstance(pub, tuple | list) or not 2 <= len(pub) <= 4 or not isinstance(pub[0], QuantumCircuit):
        return None
    circuit, observables = pub[0], pub[1]
    values = pub[2] if len(pub) > 2 else None
    several = isinstance(observables, list | tuple)
    if not (
        all(type(each) is SparsePauliOp for each in observables) if several else type(observables) is SparsePauliOp
    ):
        return None
    program = backend.read(circuit)
    width = len(program.parameters)
    if values is None:
        if width:
            return None
    else:
        if isinstance(values, Mapping) or width <= 1:
            return None
        values = np.asarray(values)
        if values.dtype.kind not in "fiu" or values.ndim == 0 or values.shape[-1] != width:
            return None
    sets = bind(program, values)
    read, shape = to_observables(observables, program)
    try:
        np.broadcast_shapes(sets.shape, shape)
    except ValueError:
        return None
    return program, sets, read, shape
