"""A calibration as a Qiskit `Target`: what there is, how long it takes and how much it errs, for layout and routing."""

from __future__ import annotations

from typing import Any

from qiskit.circuit import (
    BreakLoopOp,
    ContinueLoopOp,
    Delay,
    ForLoopOp,
    IfElseOp,
    Measure,
    Parameter,
    Reset,
    WhileLoopOp,
)
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import InstructionProperties, Target

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.domain.calibrations import Calibration

_targets: BoundedCache[Target] = BoundedCache(8)


def device_target(calibration: Calibration, *, all_to_all: bool) -> Target:
    """The device under that calibration, made once.

    Args:
        all_to_all: Its two-qubit gates are alike on every pair, so that there is nothing to route.
    """
    return _targets.get((calibration.digest, all_to_all), lambda: _made(calibration, all_to_all=all_to_all))


def _made(calibration: Calibration, *, all_to_all: bool) -> Target:
    target = Target(num_qubits=len(calibration.qubits))
    gates = get_standard_gate_name_mapping()
    angles = [Parameter(f"angle{index}") for index in range(4)]
    for name, places in calibration.gates.items():
        kind = gates[name]
        properties: Any = {
            on: InstructionProperties(duration=each.seconds, error=each.error) for on, each in places.items()
        }
        if all_to_all and kind.num_qubits > 1:
            properties = None
        target.add_instruction(type(kind)(*angles[: len(kind.params)]), properties)
    single = [(qubit,) for qubit in range(len(calibration.qubits))]
    errors = [(each.readout_p01 + each.readout_p10) / 2 for each in calibration.qubits]
    measured = {
        on: InstructionProperties(duration=calibration.measure_s, error=error)
        for on, error in zip(single, errors, strict=True)
    }
    target.add_instruction(Measure(), measured)
    target.add_instruction(Reset(), {on: InstructionProperties(duration=calibration.reset_s) for on in single})
    target.add_instruction(Delay(Parameter("seconds"), unit="s"), dict.fromkeys(single))
    for control in (IfElseOp, WhileLoopOp, ForLoopOp, BreakLoopOp, ContinueLoopOp):
        target.add_instruction(control, name=_CONTROL[control])
    return target


_CONTROL = {
    IfElseOp: "if_else",
    WhileLoopOp: "while_loop",
    ForLoopOp: "for_loop",
    BreakLoopOp: "break_loop",
    ContinueLoopOp: "continue_loop",
}
