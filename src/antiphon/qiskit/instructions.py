"""The Qiskit `Target` of a backend: what a simulator runs on any qubits, or what a device has under a calibration."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    BreakLoopOp,
    ContinueLoopOp,
    Delay,
    ForLoopOp,
    IfElseOp,
    Measure,
    Parameter,
    Reset,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from antiphon.domain.calibrations import Calibration
from antiphon.domain.devices import DeviceShape
from antiphon.domain.gates import GATES
from antiphon.domain.programs import Profile
from antiphon.domain.targets import TargetInfo

ROUNDED_AWAY = 0.01
"""Parts of a dt by which a duration may differ from a whole number of them for having few digits."""

_BOUNDED = {"if_else": IfElseOp, "switch_case": SwitchCaseOp, "for_loop": ForLoopOp}
_UNBOUNDED = {"while_loop": WhileLoopOp, "break_loop": BreakLoopOp, "continue_loop": ContinueLoopOp}


def target_of(info: TargetInfo) -> Any:
    """Every gate that simulators take natively, with no coupling limits, so that `transpile` rewrites little.

    Explicit unitaries are left out, although they run: `transpile` would otherwise make them of whole blocks of gates.
    """
    return _target(info.name, info.limits.max_qubits, info.profile)


@lru_cache(maxsize=32)
def _target(name: str, num_qubits: int, profile: Profile) -> Any:
    target = Target(description=f"Antiphon target {name}", num_qubits=num_qubits)
    standard = get_standard_gate_name_mapping()
    for gate in GATES:
        target.add_instruction(standard[gate])
    for instruction in (Measure(), Reset(), Delay(Parameter("t"))):
        target.add_instruction(instruction)
    _add_control(target, profile)
    return target


def device_target_of(info: TargetInfo, shape: DeviceShape, calibration: Calibration | None) -> Any:
    """Native gates on the qubits that they join, with the durations and errors of the calibration, if there is one.

    What `transpile` makes for it is in the device's own qubits, and runs on just those; see `options_of_placed`.
    """
    width, dt_s = info.limits.max_qubits, shape.dt_s

    def in_units(seconds: float) -> float:
        # Published to five or six digits only, while Qiskit warns of each duration that is not a whole number of dt.
        units = 0 if dt_s is None else round(seconds / dt_s)
        return seconds if dt_s is None or abs(seconds - units * dt_s) > ROUNDED_AWAY * dt_s else units * dt_s

    single = [(qubit,) for qubit in range(width)]
    qubits = None
    measured: Any = dict.fromkeys(single)
    reset: Any = dict.fromkeys(single)
    if calibration is not None:
        qubits = [QubitProperties(t1=_finite(each.t1), t2=_finite(each.t2)) for each in calibration.qubits]
        for (qubit,), each in zip(single, calibration.qubits, strict=True):
            error = (each.readout_p01 + each.readout_p10) / 2
            measured[(qubit,)] = InstructionProperties(duration=in_units(calibration.measure_s), error=error)
            reset[(qubit,)] = InstructionProperties(duration=in_units(calibration.reset_s))
    target = Target(
        description=f"Antiphon target {info.name}", num_qubits=width, qubit_properties=qubits, dt=shape.dt_s
    )
    standard = get_standard_gate_name_mapping()
    for name in shape.native_gates:
        known = {} if calibration is None else calibration.gates.get(name, {})
        places: Any = {
            on: InstructionProperties(duration=in_units(each.seconds), error=each.error) for on, each in known.items()
        }
        if standard[name].num_qubits > 1 and not shape.coupling:
            places = None  # alike on every pair, so that there is nothing to route
        elif not places:
            places = dict.fromkeys(shape.coupling if standard[name].num_qubits == 2 else single)
        target.add_instruction(standard[name], places)
    target.add_instruction(Measure(), measured)
    target.add_instruction(Reset(), reset)
    target.add_instruction(Delay(Parameter("t"), unit="s" if shape.dt_s is None else "dt"), dict.fromkeys(single))
    if shape.mid_circuit:
        _add_control(target, info.profile)
    return target


def options_of_placed(info: TargetInfo, circuits: Iterable[QuantumCircuit], options: Any) -> dict[str, Any]:
    """The options that keep circuits where `transpile` put them on a device; none unless all of them were put there.

    Args:
        options: The caller's own, which come first.
    """
    own = {"layout", "optimization_level"}
    if info.device is None or not own <= set(info.options) or own & set(options):
        return {}
    width = info.limits.max_qubits
    if not all(circuit.layout is not None and circuit.num_qubits == width for circuit in circuits):
        return {}
    return {"layout": list(range(width)), "optimization_level": 0}


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None


def _add_control(target: Any, profile: Profile) -> None:
    if profile.rank >= Profile.ADAPTIVE_RI.rank:
        for name_, kind in _BOUNDED.items():
            target.add_instruction(kind, name=name_)
    if profile.rank >= Profile.ADAPTIVE.rank:
        for name_, kind in _UNBOUNDED.items():
            target.add_instruction(kind, name=name_)
