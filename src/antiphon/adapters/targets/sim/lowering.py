"""Gates rewritten into a few primitives with at most one angle each, which every state-vector engine has natively.

Equal up to a global phase, which no counts and no expectation value depend on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from antiphon.adapters.targets.sim.angles import add, scale
from antiphon.domain.circuits import Angle, Gate

Primitive: TypeAlias = "tuple[str, tuple[int, ...], Angle | None]"

PRIMITIVES = frozenset(
    "x y z h s sdg sx sxdg t tdg rx ry rz p cx cy cz swap iswap cp crx cry crz rxx ryy rzz ccx cswap".split()  # noqa: SIM905
)
"""Names a `Primitive` may have; each means the gate of that name in `domain.gates`."""


def _u(q: tuple[int, ...], a: tuple[Angle, ...]) -> list[Primitive]:
    theta, phi, lam = a
    return [("rz", q, lam), ("ry", q, theta), ("rz", q, phi)]


def _r(q: tuple[int, ...], a: tuple[Angle, ...]) -> list[Primitive]:
    theta, phi = a
    return [("rz", q, scale(phi, -1.0)), ("rx", q, theta), ("rz", q, phi)]


def _rzx(q: tuple[int, ...], a: tuple[Angle, ...]) -> list[Primitive]:
    return [("h", q[1:], None), ("rzz", q, a[0]), ("h", q[1:], None)]


def _ecr(q: tuple[int, ...], _: tuple[Angle, ...]) -> list[Primitive]:
    # RZX(π/4), X, RZX(-π/4) in time order is RZX(π/2), X: the X on the first qubit turns the rotation around.
    return [*_rzx(q, (math.pi / 2,)), ("x", q[:1], None)]


def _ch(q: tuple[int, ...], _: tuple[Angle, ...]) -> list[Primitive]:
    return [("ry", q[1:], -math.pi / 4), ("cz", q, None), ("ry", q[1:], math.pi / 4)]


def _csx(q: tuple[int, ...], _: tuple[Angle, ...]) -> list[Primitive]:
    return [("h", q[1:], None), ("cp", q, math.pi / 2), ("h", q[1:], None)]


def _cu(q: tuple[int, ...], a: tuple[Angle, ...]) -> list[Primitive]:
    theta, phi, lam, gamma = a
    # U(θ, φ, λ) = e^{i(φ+λ)/2} RZ(φ) RY(θ) RZ(λ); under control the phase is one of the control's own.
    relative = add(gamma, scale(add(phi, lam), 0.5))
    return [("p", q[:1], relative), ("crz", q, lam), ("cry", q, theta), ("crz", q, phi)]


def _ccz(q: tuple[int, ...], _: tuple[Angle, ...]) -> list[Primitive]:
    return [("h", q[2:], None), ("ccx", q, None), ("h", q[2:], None)]


_REWRITES: dict[str, Callable[[tuple[int, ...], tuple[Angle, ...]], list[Primitive]]] = {
    "id": lambda q, a: [],  # noqa: ARG005
    "u": _u,
    "r": _r,
    "rzx": _rzx,
    "ecr": _ecr,
    "dcx": lambda q, a: [("cx", q, None), ("cx", q[::-1], None)],  # noqa: ARG005
    "ch": _ch,
    "csx": _csx,
    "cu": _cu,
    "ccz": _ccz,
}


def lower(gate: Gate) -> list[Primitive]:
    """`gate` as primitives, in the order they are applied."""
    if gate.name in PRIMITIVES:
        return [(gate.name, gate.qubits, gate.params[0] if gate.params else None)]
    return _REWRITES[gate.name](gate.qubits, gate.params)
