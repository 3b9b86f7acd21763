"""Qiskit's compiler on a circuit and a calibration: layout, routing, native gates; the result read back as a tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit.transpiler.exceptions import TranspilerError

from antiphon.adapters.targets.emu.device_target import device_target
from antiphon.adapters.targets.emu.to_qiskit import parameter_index, to_qiskit
from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import Affine, Angle, Call, Circuit, For, Gate, If, Operation, While
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.qiskit_circuit import CircuitReader

LAYOUT_LEVEL = 2
"""The lowest of Qiskit's levels that looks at the calibration to choose qubits."""


def transpiled(
    circuit: Circuit,
    calibration: Calibration,
    *,
    all_to_all: bool,
    optimization_level: int,
    seed: int,
    layout: Sequence[int] | None = None,
) -> tuple[Circuit, tuple[int, ...], tuple[int, ...]]:
    """The circuit on the device's qubits in its native gates, and where each of its qubits is at the start and the end.

    Registers, classical bits and parameters stay as they are. Equal arguments give equal circuits.

    Raises:
        UnsupportedProgramError: The compiler found no way to put it on the device.
    """
    target = device_target(calibration, all_to_all=all_to_all)
    begin = None if layout is None else list(layout)
    passes = generate_preset_pass_manager(optimization_level, target=target, seed_transpiler=seed, initial_layout=begin)
    if optimization_level < LAYOUT_LEVEL:
        # Levels below would take the first qubits that fit, however bad.
        better = generate_preset_pass_manager(LAYOUT_LEVEL, target=target, seed_transpiler=seed, initial_layout=begin)
        passes.layout, passes.routing = better.layout, better.routing
    try:
        made: QuantumCircuit = passes.run(to_qiskit(circuit))
    except TranspilerError as error:
        raise UnsupportedProgramError(
            f"The program cannot be put on {calibration.target}.",
            code="compile-failed",
            cause=str(error.message),
            next_step="Use fewer qubits that interact, or another target.",
            details={"target": calibration.target},
        ) from error
    reader = CircuitReader(made)
    operations = reader.operations()
    numbers = {position: parameter_index(name) for position, name in enumerate(reader.parameters)}
    if any(position != number for position, number in numbers.items()):
        operations = tuple(_renumbered(operation, numbers) for operation in operations)
    start, end = _layouts(made, circuit.num_qubits)
    physical = Circuit(len(calibration.qubits), circuit.registers, circuit.parameters, operations)
    return physical, start, end


def _layouts(made: QuantumCircuit, num_qubits: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if made.layout is None:
        plain = tuple(range(num_qubits))
        return plain, plain
    start = tuple(made.layout.initial_index_layout(filter_ancillas=True))
    return start, tuple(made.layout.final_index_layout(filter_ancillas=True))


def _renumbered(operation: Operation, numbers: Mapping[int, int]) -> Operation:
    """The operation with the circuit's own numbers of parameters: the compiler drops those that matter to nothing."""
    match operation:
        case Gate(name, qubits, params) if params:
            return Gate(name, qubits, tuple(_angle(each, numbers) for each in params))
        case If(condition, then, otherwise):
            return If(condition, _body(then, numbers), _body(otherwise, numbers))
        case While(condition, body):
            return While(condition, _body(body, numbers))
        case For(bodies):
            return For(tuple(_body(body, numbers) for body in bodies))
        case _:
            return operation


def _body(operations: tuple[Operation, ...], numbers: Mapping[int, int]) -> tuple[Operation, ...]:
    return tuple(_renumbered(operation, numbers) for operation in operations)


def _angle(angle: Angle, numbers: Mapping[int, int]) -> Angle:
    match angle:
        case Affine(constant, terms):
            return Affine(constant, tuple((numbers[index], coefficient) for index, coefficient in terms))
        case Call(_, arguments):
            return replace(angle, arguments=tuple(_angle(each, numbers) for each in arguments))
        case _:
            return angle
