"""Which circuits are Clifford, and their gates as a short list of Clifford primitives."""

from __future__ import annotations

import math
from typing import TypeAlias

from antiphon.adapters.targets.sim.lowering import lower
from antiphon.domain.circuits import Gate
from antiphon.domain.gates import GATES

CliffordStep: TypeAlias = "tuple[str, tuple[int, ...]]"

# An angle written as a multiple of π/2 carries rounding of about 1e-16 a turn; anything farther is meant.
_TOLERANCE = 1e-11

_QUARTER_TURNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "rx": ((), ("sx",), ("x",), ("sxdg",)),
    "ry": ((), ("sx", "s", "sxdg"), ("y",), ("sx", "sdg", "sxdg")),
    "rz": ((), ("s",), ("z",), ("sdg",)),
    "p": ((), ("s",), ("z",), ("sdg",)),
}
_BASIS_TO_ZZ = {"rzz": ((), ()), "rxx": (("h",), ("h",)), "ryy": (("sx",), ("sxdg",))}
_PLAIN = frozenset({"x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap"})


def quarter_turns(angle: float) -> int | None:
    """How many quarter turns `angle` is, modulo 4, or None when it is not a multiple of π/2."""
    turns = angle / (math.pi / 2)
    nearest = round(turns)
    return nearest % 4 if abs(turns - nearest) <= _TOLERANCE * max(1.0, abs(turns)) else None


def is_clifford(gate: Gate, angles: tuple[float, ...]) -> bool:
    """Whether `gate` is Clifford at these angles (in radians, the gate's own order)."""
    return GATES[gate.name].clifford or clifford_steps(gate, angles) is not None


def clifford_steps(gate: Gate, angles: tuple[float, ...]) -> list[CliffordStep] | None:
    """`gate` as x, y, z, h, s, sdg, sx, sxdg, cx, cy, cz, swap up to a global phase; None when it is not Clifford."""
    steps: list[CliffordStep] = []
    for name, qubits, angle in lower(Gate(gate.name, gate.qubits, angles)):
        part = _step(name, qubits, float(angle) if isinstance(angle, int | float) else None)
        if part is None:
            return None
        steps.extend(part)
    return steps


def _step(name: str, qubits: tuple[int, ...], angle: float | None) -> list[CliffordStep] | None:
    if name in _PLAIN:
        return [(name, qubits)]
    if name == "iswap":
        return [("s", qubits[:1]), ("s", qubits[1:]), ("cz", qubits), ("swap", qubits)]
    turns = None if angle is None else quarter_turns(angle)
    if turns is None:
        return None
    if name in _QUARTER_TURNS:
        return [(part, qubits) for part in _QUARTER_TURNS[name][turns]]
    if name in _BASIS_TO_ZZ:
        before, after = _BASIS_TO_ZZ[name]
        core: list[CliffordStep] = [
            ("cx", qubits),
            *((p, qubits[1:]) for p in _QUARTER_TURNS["rz"][turns]),
            ("cx", qubits),
        ]
        return [
            *((part, (qubit,)) for qubit in qubits for part in before),
            *core,
            *((part, (qubit,)) for qubit in qubits for part in after),
        ]
    if name == "cp" and turns % 2 == 0:
        return [("cz", qubits)] if turns == 2 else []
    return None
