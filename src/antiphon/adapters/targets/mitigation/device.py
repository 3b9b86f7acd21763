"""A compiled program as the ground of mitigation, and other circuits made ready for the device as they stand."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.adapters.targets.emu.schedule import schedule
from antiphon.adapters.targets.mitigation.decoupling import PULSES, decoupled
from antiphon.adapters.targets.mitigation.ground import Ground, Operations, without_delays, without_last_measurements
from antiphon.adapters.targets.mitigation.native import in_native_gates
from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import Circuit, Delay, Gate, Operation
from antiphon.domain.devices import DeviceShape
from antiphon.domain.programs import Program
from antiphon.domain.work import Compiled


def compiled_ground(
    program: Program, made: Compiled, calibration: Calibration, shape: DeviceShape, decoupling: str | None
) -> Ground:
    """The compiled circuit, without the delays that scheduling put in: what is made of it is scheduled anew.

    Args:
        decoupling: The sequence of pulses for qubits that wait.
    """
    operations = without_last_measurements(made.circuit.operations)
    assert program.circuit is not None
    if not any(isinstance(operation, Delay) for operation in program.circuit.walk()):
        operations = without_delays(operations)
    return Ground(
        program,
        made.circuit,
        operations,
        dict(enumerate(made.final)),
        *finisher(calibration, shape, decoupling),
    )


def finisher(
    calibration: Calibration, shape: DeviceShape, decoupling: str | None
) -> tuple[Callable[[Operations], Operations], Callable[[Operations], int]]:
    """Makes operations native, scheduled, and decoupled if asked; and says how many pulses that puts in."""
    native = in_native_gates(shape.native_gates)

    def seconds_of(operation: Operation) -> float:
        gates = [gate for gate in native((operation,)) if isinstance(gate, Gate)]
        return sum(calibration.gates[gate.name][gate.qubits].seconds for gate in gates)

    def finish(operations: Operations) -> Operations:
        timed = schedule(native(operations), calibration).operations
        if decoupling is None:
            return timed
        return native(decoupled(timed, decoupling, seconds_of)[0])

    def pulses(operations: Operations) -> int:
        if decoupling is None:
            return 0
        timed = schedule(native(operations), calibration).operations
        return len(PULSES[decoupling]) * decoupled(timed, decoupling, seconds_of)[1]

    return finish, pulses


def as_compiled(program: Program) -> Compiled:
    """A program whose circuit is on the device's qubits in its gates already."""
    circuit: Circuit | None = program.circuit
    assert circuit is not None
    every = tuple(range(circuit.num_qubits))
    return Compiled(circuit, every, reused=False, seconds=0.0, final=every, key=program.digest)
