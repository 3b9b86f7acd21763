"""The functions that a QIR module may call without defining them."""

from __future__ import annotations

from antiphon.frontends.qir_reader import Instruction, Number, Pointer

QIS = "__quantum__qis__"
RT = "__quantum__rt__"
GATE_NAMES = {
    # intrinsic: gate of the table. Angles come first, then the qubits.
    **{f"{name}__body": name for name in ("h", "x", "y", "z", "s", "t", "rx", "ry", "rz", "rxx", "ryy", "rzz", "sx")},
    **{f"{name}__body": name for name in ("cx", "cy", "cz", "swap", "ccx")},
    "s__adj": "sdg",
    "t__adj": "tdg",
    "sx__adj": "sxdg",
    "cnot__body": "cx",
    "i__body": "id",
    "id__body": "id",
}
MEASUREMENTS = {"m__body": False, "mz__body": False, "mresetz__body": True}
"""Intrinsic: whether the qubit is reset afterwards."""
OTHER_INTRINSICS = frozenset({"reset__body", "barrier__body", "read_result__body"})
RECORDS = {f"{RT}{kind}_record_output": kind for kind in ("result", "array", "tuple", "int", "bool", "double")}
NO_EFFECT = frozenset({f"{RT}initialize", f"{RT}message"})


def recorded(one: Instruction) -> tuple[str, int | None, str]:
    """Kind, size or result number, and label of a call that records output."""
    kind = RECORDS[one.callee]
    first = one.operands[0] if one.operands else None
    if kind in {"array", "tuple"}:
        return kind, int(first.value) if isinstance(first, Number) else 0, one.label
    return kind, first.number if kind == "result" and isinstance(first, Pointer) else None, one.label
