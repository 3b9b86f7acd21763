"""The Qiskit `Target` of a backend: what it runs as it is, on any qubits."""

from __future__ import annotations

from functools import lru_cache
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
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import Target

from antiphon.domain.gates import GATES
from antiphon.domain.programs import Profile
from antiphon.domain.targets import TargetInfo

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
    if profile.rank >= Profile.ADAPTIVE_RI.rank:
        for name_, kind in _BOUNDED.items():
            target.add_instruction(kind, name=name_)
    if profile.rank >= Profile.ADAPTIVE.rank:
        for name_, kind in _UNBOUNDED.items():
            target.add_instruction(kind, name=name_)
    return target
