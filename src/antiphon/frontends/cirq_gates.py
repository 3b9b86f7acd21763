"""Cirq's gates in the words of the gate table, exactly, up to a global phase.

A power of a gate keeps its global shift only where it can be seen: under a control. Everything not listed here is
decomposed by Cirq itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import cirq
import sympy

from antiphon.domain.circuits import Affine, Angle
from antiphon.frontends import parameters_angles as angles

Word: TypeAlias = tuple[str, tuple[int, ...], tuple[Angle, ...]]
"""A gate of the table on positions of the operation's qubits."""

HALF_PI = math.pi / 2


class GateReader:
    """Reads gates; `index` numbers the program's parameters by name."""

    def __init__(self, index: dict[str, int]) -> None:
        self._index = index

    def angle(self, value: Any, factor: float = 1.0) -> Angle:
        """The angle factor · value, of a number or a SymPy expression."""
        if isinstance(value, sympy.Basic):
            # Cirq stores cirq.rx(θ) as an exponent θ/π: multiplied before it is read, the π cancels exactly.
            if factor == math.pi:
                return angles.from_sympy(sympy.pi * value, self._symbol)
            return angles.scale(angles.from_sympy(value, self._symbol), factor)
        return angles.finite(float(value) * factor, "A gate")

    def _symbol(self, name: str) -> Angle:
        return Affine(0.0, ((self._index[name], 1.0),))

    def words(self, gate: Any) -> list[Word] | None:
        """The gate as words, or None when it is not listed."""
        for kind, read in _READERS:
            if isinstance(gate, kind):
                return read(self, gate)
        return None

    def half_turns(self, gate: Any) -> Angle:
        """π · exponent: the angle of the rotation that a power is."""
        return self.angle(gate.exponent, math.pi)


def _power(exact: dict[float, str], *otherwise: str) -> Callable[[GateReader, Any], list[Word] | None]:
    """A power that has a name of its own at some exponents, and else is the product of rotations about π·exponent."""

    def read(reader: GateReader, gate: Any) -> list[Word] | None:
        positions = tuple(range(gate.num_qubits()))
        if not isinstance(gate.exponent, sympy.Basic) and gate.exponent in exact:
            return [(exact[gate.exponent], positions, ())]
        if not otherwise:
            return None
        return [(name, positions, (reader.half_turns(gate),)) for name in otherwise]

    return read


def _swap(reader: GateReader, gate: Any) -> list[Word]:
    if gate.exponent == 1:
        return [("swap", (0, 1), ())]
    half = angles.scale(reader.half_turns(gate), 0.5)
    return [(name, (0, 1), (half,)) for name in ("rxx", "ryy", "rzz")]


def _iswap(reader: GateReader, gate: Any) -> list[Word]:
    if gate.exponent == 1:
        return [("iswap", (0, 1), ())]
    half = angles.scale(reader.half_turns(gate), -0.5)
    return [("rxx", (0, 1), (half,)), ("ryy", (0, 1), (half,))]


def _fsim(reader: GateReader, gate: Any) -> list[Word]:
    theta, phi = reader.angle(gate.theta), reader.angle(gate.phi, -1.0)
    return [("rxx", (0, 1), (theta,)), ("ryy", (0, 1), (theta,)), ("cp", (0, 1), (phi,))]


def _controlled_x(reader: GateReader, gate: Any) -> list[Word]:
    if gate.exponent == 1:
        return [("cx", (0, 1), ())]
    turn = reader.half_turns(gate)
    return [("cu", (0, 1), (turn, -HALF_PI, HALF_PI, angles.scale(turn, 0.5)))]


def _phased_x(reader: GateReader, gate: Any) -> list[Word]:
    return [("r", (0,), (reader.half_turns(gate), reader.angle(gate.phase_exponent, math.pi)))]


def _phased_x_z(reader: GateReader, gate: Any) -> list[Word]:
    turn = reader.angle(gate.x_exponent, math.pi)
    axis = reader.angle(gate.axis_phase_exponent, math.pi)
    return [("r", (0,), (turn, axis)), ("p", (0,), (reader.angle(gate.z_exponent, math.pi),))]


def _controlled(reader: GateReader, gate: Any) -> list[Word] | None:
    """One control, on 1, over a power of X, Y or Z: the global shift becomes a phase that can be seen."""
    if gate.control_values != cirq.ProductOfSums(((1,),)) or gate.control_qid_shape != (2,):
        return None
    sub = gate.sub_gate
    if not isinstance(sub, cirq.XPowGate | cirq.YPowGate | cirq.ZPowGate):
        return None
    turn = reader.half_turns(sub)
    if isinstance(sub, cirq.ZPowGate):
        words: list[Word] = [("cp", (0, 1), (turn,))]
        if sub.global_shift:
            words.append(("p", (0,), (angles.scale(turn, sub.global_shift),)))
        return words
    phase = angles.scale(turn, 0.5 + sub.global_shift)
    axis = (-HALF_PI, HALF_PI) if isinstance(sub, cirq.XPowGate) else (0.0, 0.0)
    return [("cu", (0, 1), (turn, *axis, phase))]


def _identity(_: GateReader, gate: Any) -> list[Word]:
    return [("id", (position,), ()) for position in range(gate.num_qubits())]


_READERS: tuple[tuple[type, Callable[[GateReader, Any], list[Word] | None]], ...] = (
    (cirq.IdentityGate, _identity),
    (cirq.GlobalPhaseGate, lambda _, __: []),
    (cirq.XPowGate, _power({1: "x", 0.5: "sx", -0.5: "sxdg"}, "rx")),
    (cirq.YPowGate, _power({1: "y"}, "ry")),
    (cirq.ZPowGate, _power({1: "z", 0.5: "s", -0.5: "sdg", 0.25: "t", -0.25: "tdg"}, "rz")),
    (cirq.HPowGate, _power({1: "h"})),
    (cirq.PhasedXPowGate, _phased_x),
    (cirq.PhasedXZGate, _phased_x_z),
    (cirq.CXPowGate, _controlled_x),
    (cirq.CZPowGate, _power({1: "cz"}, "cp")),
    (cirq.XXPowGate, _power({}, "rxx")),
    (cirq.YYPowGate, _power({}, "ryy")),
    (cirq.ZZPowGate, _power({}, "rzz")),
    (cirq.SwapPowGate, _swap),
    (cirq.ISwapPowGate, _iswap),
    (cirq.FSimGate, _fsim),
    (cirq.CCXPowGate, _power({1: "ccx"})),
    (cirq.CCZPowGate, _power({1: "ccz"})),
    (cirq.CSwapGate, lambda _, __: [("cswap", (0, 1, 2), ())]),
    (cirq.ControlledGate, _controlled),
)
