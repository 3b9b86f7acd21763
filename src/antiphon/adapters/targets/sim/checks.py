"""Checks of one pub that hold for every engine: shots, measurements, parameters, observables, size and profile."""

from __future__ import annotations

import numpy as np

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.features import Features
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Pub
from antiphon.errors import LimitError, ObservableError, ParameterError, ProgramError, UnsupportedProgramError
from antiphon.frontends.needs import profile_refusal


def check_pub(pub: Pub, features: Features | None, parameters: Floats, info: TargetInfo) -> None:
    """Refuse what no engine of the target could run.

    Raises:
        UnsupportedProgramError: The program needs a larger profile than the target's.
        ProgramError: Sampling without a measurement.
        ParameterError: Parameters are unbound, unknown or not finite.
        ObservableError: An observable has another width than the program.
        LimitError: Shots, parameter sets, operations or qubits beyond the target's limits.
    """
    _check_profile(pub, info)
    _check_shots(pub, info)
    _check_parameters(pub, parameters, info)
    if pub.observables is not None:
        _check_estimate(pub, features)
    elif features is not None and not features.measures:
        raise ProgramError(
            "The program has no measurement, so there is nothing to count.",
            code="no-measurement",
            next_step="Add a measurement (Qiskit: circuit.measure_all(); Cirq: cirq.measure), or call estimate.",
        )
    if features is not None and len(features.operations) > info.limits.max_operations:
        raise LimitError(
            f"The program has {len(features.operations)} operations; {info.name} takes {info.limits.max_operations}.",
            next_step="Shorten the program, or split it into several.",
        )
    width = pub.program.num_qubits if features is None else features.num_qubits
    if width > info.limits.max_qubits:
        raise LimitError(
            f"The program uses {width} qubits; {info.name} {_takes(info)}.",
            code="too-wide",
            next_step=_wider(info),
            details={"num_qubits": width, "max_qubits": info.limits.max_qubits},
        )


def _takes(info: TargetInfo) -> str:
    most = info.limits.max_qubits
    return f"takes {most} on this machine" if info.kind == "simulator" else f"has {most}"


def _wider(info: TargetInfo) -> str:
    if info.kind == "simulator":
        return "Use fewer qubits, or sim.stabilizer (Clifford gates) or sim.mps (low entanglement)."
    return "Use fewer qubits, or a wider device; `antiphon targets list` shows how wide each is."


def _check_profile(pub: Pub, info: TargetInfo) -> None:
    if pub.program.profile.rank > info.profile.rank:
        raise profile_refusal(pub.program, info.profile, info.name)


def _check_shots(pub: Pub, info: TargetInfo) -> None:
    shots = pub.shots
    if shots is None:
        if pub.observables is None:
            raise ProgramError(
                "Counts need a number of shots.", code="shots-missing", next_step="Give shots, for example 1000."
            )
        return
    if not isinstance(shots, int) or isinstance(shots, bool) or shots < 1:
        raise LimitError(
            f"{shots!r} shots cannot be run.",
            code="shots-invalid",
            next_step=f"Give a whole number of shots from 1 to {info.limits.max_shots}.",
        )
    if shots > info.limits.max_shots:
        raise LimitError(
            f"{shots} shots are more than {info.name} takes.",
            code="shots-exceeded",
            cause=f"the limit is {info.limits.max_shots}",
            next_step="Ask for fewer shots, or split the job.",
        )


def _check_parameters(pub: Pub, parameters: Floats, info: TargetInfo) -> None:
    names, wanted = pub.parameters.names, pub.program.parameters
    if names != wanted:
        missing = [name for name in wanted if name not in names]
        unknown = [name for name in names if name not in wanted]
        said = f"has no value: {missing[0]}" if missing else f"is unknown: {unknown[0]}" if unknown else ""
        raise ParameterError(
            f"A parameter of the program {said}." if said else "The parameters are not in the program's order.",
            cause=f"the program has {len(wanted)} parameters, {len(names)} were given",
            next_step=f"Give one value for each of: {', '.join(wanted) or '(none)'}.",
            details={"missing": missing, "unknown": unknown},
        )
    if len(parameters) > info.limits.max_parameter_sets:
        raise LimitError(
            f"{len(parameters)} parameter sets are more than {info.name} takes in one job.",
            cause=f"the limit is {info.limits.max_parameter_sets}",
            next_step="Split the sweep.",
        )
    if not np.isfinite(parameters).all():
        index, place = (int(where) for where in np.argwhere(~np.isfinite(parameters))[0])
        raise ParameterError(
            f"Parameter {names[place]} is {parameters[index, place]}, which is not a finite number.",
            cause=f"found in parameter set {index}",
            next_step="Give finite numbers.",
        )


def _check_estimate(pub: Pub, features: Features | None) -> None:
    assert pub.observables is not None
    for observable in pub.observables:
        if observable.num_qubits != pub.program.num_qubits:
            raise ObservableError(
                f"An observable on {observable.num_qubits} qubits does not fit a program on {pub.program.num_qubits}.",
                next_step=f"Give Pauli strings of {pub.program.num_qubits} letters, qubit 0 rightmost.",
                details={"observable": observable.num_qubits, "program": pub.program.num_qubits},
            )
    if features is not None and features.final_resets:
        raise UnsupportedProgramError(
            "Expectation values are of the state at the end of a program that does not reset on the way.",
            code="estimate-dynamic",
            cause="a qubit is reset after it was used",
            next_step="Take the reset out of the program.",
        )
    try:
        np.broadcast_shapes(pub.parameters.shape, pub.observables_shape)
    except ValueError as error:
        raise ObservableError(
            "Parameters and observables do not broadcast.",
            cause=f"shapes {pub.parameters.shape} and {pub.observables_shape}",
            next_step="Give shapes that NumPy can broadcast.",
        ) from error
