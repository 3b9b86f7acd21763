"""Gates of OpenQASM's libraries, and their modifiers, as gates of the circuit's own table.

A library gate is a product of elements: a one-qubit gate, a swap, a two-qubit rotation or a global phase, each with any
number of controls. So `ctrl`, `inv` and `pow` act on the elements, free parameters included, and no matrix is built.

Phases follow the OpenQASM 3 specification, where they matter once the gate is controlled: its U(θ, φ, λ) is e^{iθ/2}
times the U of Qiskit (our gate `u`), and u2, u3 of stdgates.inc have determinant 1. Version 2 cannot control a gate, so
nothing can see the difference there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from antiphon.domain.circuits import Affine, Angle, Call
from antiphon.frontends.openqasm_angles import add, negate, scale

PHASE = "gphase"


@dataclass(frozen=True, slots=True)
class Element:
    """`name` is a gate of the table without controls, or PHASE; qubits are the controls, then the targets."""

    name: str
    params: tuple[Angle, ...]
    controls: tuple[int, ...]
    targets: tuple[int, ...]


Maker = Callable[[Sequence[Angle], Sequence[int]], list[Element]]


def _one(name: str, controls: int = 0) -> Maker:
    def make(params: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
        return [Element(name, tuple(params), tuple(qubits[:controls]), tuple(qubits[controls:]))]

    return make


def _phase(angle: Angle, *controls: int) -> Element:
    return Element(PHASE, (angle,), controls, ())


def _half(*angles: Angle) -> Angle:
    total: Angle = 0.0
    for angle in angles:
        total = add(total, angle)
    return scale(total, 0.5)


def _builtin_u(params: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    return [_phase(_half(params[0])), Element("u", tuple(params), (), tuple(qubits))]


def _u3(params: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    return [_phase(negate(_half(params[1], params[2]))), Element("u", tuple(params), (), tuple(qubits))]


def _u2(params: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    return _u3((math.pi / 2, *params), qubits)


def _cu(params: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    control, target = qubits
    return [_phase(params[3], control), Element("u", tuple(params[:3]), (control,), (target,))]


def _cu3(params: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    # qelib1.inc of Qiskit: the controlled U of determinant 1 up to the phase that Qiskit's CU3 has, which is none.
    return _cu((*params, 0.0), qubits)


def _rccx(_: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    a, b, c = qubits
    h, t, tdg = (Element(name, (), (), (c,)) for name in ("h", "t", "tdg"))
    from_a, from_b = (Element("x", (), (control,), (c,)) for control in (a, b))
    return [h, t, from_b, tdg, from_a, t, from_b, tdg, h]


def _rc3x(_: Sequence[Angle], qubits: Sequence[int]) -> list[Element]:
    a, b, c, d = qubits
    h, t, tdg = (Element(name, (), (), (d,)) for name in ("h", "t", "tdg"))
    from_a, from_b, from_c = (Element("x", (), (control,), (d,)) for control in (a, b, c))
    middle = [from_a, t, from_b, tdg, from_a, t, from_b, tdg]
    return [h, t, from_c, tdg, h, *middle, h, t, from_c, tdg, h]


_STANDARD: dict[str, tuple[int, int, Maker]] = {
    # name: number of angles, of qubits, and the elements. This part is in both stdgates.inc and qelib1.inc.
    "x": (0, 1, _one("x")),
    "y": (0, 1, _one("y")),
    "z": (0, 1, _one("z")),
    "h": (0, 1, _one("h")),
    "s": (0, 1, _one("s")),
    "sdg": (0, 1, _one("sdg")),
    "t": (0, 1, _one("t")),
    "tdg": (0, 1, _one("tdg")),
    "sx": (0, 1, _one("sx")),
    "id": (0, 1, _one("id")),
    "p": (1, 1, _one("p")),
    "u1": (1, 1, _one("p")),
    "u2": (2, 1, _u2),
    "u3": (3, 1, _u3),
    "rx": (1, 1, _one("rx")),
    "ry": (1, 1, _one("ry")),
    "rz": (1, 1, _one("rz")),
    "cx": (0, 2, _one("x", 1)),
    "cy": (0, 2, _one("y", 1)),
    "cz": (0, 2, _one("z", 1)),
    "ch": (0, 2, _one("h", 1)),
    "cp": (1, 2, _one("p", 1)),
    "crx": (1, 2, _one("rx", 1)),
    "cry": (1, 2, _one("ry", 1)),
    "crz": (1, 2, _one("rz", 1)),
    "cu": (4, 2, _cu),
    "swap": (0, 2, _one("swap")),
    "ccx": (0, 3, _one("x", 2)),
    "cswap": (0, 3, _one("swap", 1)),
}
_ONLY_3: dict[str, tuple[int, int, Maker]] = {
    "CX": (0, 2, _one("x", 1)),
    "phase": (1, 1, _one("p")),
    "cphase": (1, 2, _one("p", 1)),
}
_ONLY_2: dict[str, tuple[int, int, Maker]] = {
    "u0": (1, 1, lambda _, qubits: [Element("id", (), (), tuple(qubits))]),
    "u": (3, 1, _one("u")),
    "sxdg": (0, 1, _one("sxdg")),
    "cu1": (1, 2, _one("p", 1)),
    "cu3": (3, 2, _cu3),
    "rxx": (1, 2, _one("rxx")),
    "rzz": (1, 2, _one("rzz")),
    "csx": (0, 2, _one("sx", 1)),
    "rccx": (0, 3, _rccx),
    "rc3x": (0, 4, _rc3x),
    "c3x": (0, 4, _one("x", 3)),
    "c3sqrtx": (0, 4, _one("sx", 3)),
    "c4x": (0, 5, _one("x", 4)),
}
LIBRARIES: dict[str, dict[str, tuple[int, int, Maker]]] = {
    "stdgates.inc": _STANDARD | _ONLY_3,
    "qelib1.inc": _STANDARD | _ONLY_2,
}
BUILTINS: dict[int, dict[str, tuple[int, int, Maker]]] = {
    2: {"U": (3, 1, _builtin_u), "CX": (0, 2, _one("x", 1))},
    3: {"U": (3, 1, _builtin_u), PHASE: (1, 0, lambda params, _: [_phase(params[0])])},
}

# --- Inverse and powers -----------------------------------------------------------------------------------------------

_INVERSE_NAMES = {"s": "sdg", "sdg": "s", "t": "tdg", "tdg": "t", "sx": "sxdg", "sxdg": "sx"}


def inverse(element: Element) -> Element:
    """The adjoint."""
    if element.name == "u":
        theta, phi, lam = element.params
        return replace(element, params=(negate(theta), negate(lam), negate(phi)))
    name = _INVERSE_NAMES.get(element.name, element.name)
    return replace(element, name=name, params=tuple(negate(angle) for angle in element.params))


_EIGENPHASES = {"z": 1.0, "s": 0.5, "sdg": -0.5, "t": 0.25, "tdg": -0.25}
_X_PHASES = {"x": 1.0, "sx": 0.5, "sxdg": -0.5}


def fractional_power(element: Element, exponent: float) -> list[Element] | None:
    """exp(exponent · log) with the principal logarithm, where it is known in closed form; else None."""

    def make(name: str, angle: float) -> Element:
        return replace(element, name=name, params=(angle,))

    match element.name:
        case "id":
            return [element]
        case name if name in _EIGENPHASES:
            return [make("p", exponent * math.pi * _EIGENPHASES[name])]
        case name if name in _X_PHASES:
            angle = exponent * math.pi * _X_PHASES[name]
            return [replace(_phase(angle / 2), controls=element.controls), make("rx", angle)]
        case "y":
            angle = exponent * math.pi
            return [replace(_phase(angle / 2), controls=element.controls), make("ry", angle)]
        case "h":
            turn = [replace(make("ry", sign * math.pi / 4), controls=()) for sign in (-1, 1)]
            return [turn[0], make("p", exponent * math.pi), turn[1]]
        case "p" | "gphase":
            return _rotation_power(element, exponent, math.tau)
        case "rx" | "ry" | "rz" | "rxx" | "rzz":
            return _rotation_power(element, exponent, 2 * math.tau)
        case _:
            return None


def _rotation_power(element: Element, exponent: float, period: float) -> list[Element] | None:
    (angle,) = element.params
    if isinstance(angle, Affine | Call):
        return None
    principal = math.remainder(angle, period)
    if principal == -period / 2:
        principal = period / 2
    return [replace(element, params=(principal * exponent,))]


# --- Controls -> gates of the table -----------------------------------------------------------------------------------

Applied = tuple[str, tuple[int, ...], tuple[Angle, ...]]
"""Name, qubits and angles of one gate of the table."""

_DIRECT = {
    ("x", 1): "cx",
    ("x", 2): "ccx",
    ("y", 1): "cy",
    ("z", 1): "cz",
    ("z", 2): "ccz",
    ("h", 1): "ch",
    ("sx", 1): "csx",
    ("p", 1): "cp",
    ("rx", 1): "crx",
    ("ry", 1): "cry",
    ("rz", 1): "crz",
    ("swap", 1): "cswap",
}
_AS_PHASE = {"s": 0.5, "sdg": -0.5, "t": 0.25, "tdg": -0.25, "z": 1.0}


def gates_of(element: Element) -> Iterator[Applied]:
    """The gates of the table that make `element`; exact, controlled phases included.

    With more than two controls the number of gates grows as three to the number of controls.
    """
    name, params, controls, targets = element.name, element.params, element.controls, element.targets
    if name == PHASE:
        if controls:
            yield from _controlled_phase(params[0], controls)
        return
    if not controls:
        yield name, targets, params
        return
    direct = _DIRECT.get((name, len(controls)))
    if direct is not None:
        yield direct, controls + targets, params
        return
    yield from _controlled(name, params, controls, targets)


def _controlled(
    name: str, params: tuple[Angle, ...], controls: tuple[int, ...], targets: tuple[int, ...]
) -> Iterator[Applied]:
    target = targets[-1]
    match name:
        case "id":
            return
        case "z" | "s" | "sdg" | "t" | "tdg":
            yield from _controlled_phase(_AS_PHASE[name] * math.pi, (*controls, target))
        case "p":
            yield from _controlled_phase(params[0], (*controls, target))
        case "x":
            yield "h", (target,), ()
            yield from _controlled_phase(math.pi, (*controls, target))
            yield "h", (target,), ()
        case "sx" | "sxdg":
            angle = math.pi / 2 if name == "sx" else -math.pi / 2
            yield from _controlled_phase(angle / 2, controls)
            yield from _any("rx", (angle,), controls, targets)
        case "y":
            yield "sdg", (target,), ()
            yield from _any("x", (), controls, targets)
            yield "s", (target,), ()
        case "h":
            yield "ry", (target,), (-math.pi / 4,)
            yield from _any("z", (), controls, targets)
            yield "ry", (target,), (math.pi / 4,)
        case "rx":
            yield "h", (target,), ()
            yield from _any("rz", params, controls, targets)
            yield "h", (target,), ()
        case "ry" | "rz":
            half = scale(params[0], 0.5)
            yield name, (target,), (half,)
            yield from _any("x", (), controls, targets)
            yield name, (target,), (negate(half),)
            yield from _any("x", (), controls, targets)
        case "u":
            yield from _controlled_u(params, controls, target)
        case "swap":
            yield "cx", (target, targets[0]), ()
            yield from _any("x", (), (*controls, targets[0]), (target,))
            yield "cx", (target, targets[0]), ()
        case "rxx" | "rzz":
            yield from _controlled_pair(name, params, controls, targets)
        case _:
            raise AssertionError(f"no controlled form of {name}")


def _any(
    name: str, params: tuple[Angle, ...], controls: tuple[int, ...], targets: tuple[int, ...]
) -> Iterator[Applied]:
    return gates_of(Element(name, params, controls, targets))


def _controlled_u(params: tuple[Angle, ...], controls: tuple[int, ...], target: int) -> Iterator[Applied]:
    theta, phi, lam = params
    if len(controls) == 1:
        yield "cu", (*controls, target), (theta, phi, lam, 0.0)
        return
    yield from _controlled_phase(_half(phi, lam), controls)
    for name, angle in (("rz", lam), ("ry", theta), ("rz", phi)):
        yield from _any(name, (angle,), controls, (target,))


def _controlled_pair(
    name: str, params: tuple[Angle, ...], controls: tuple[int, ...], targets: tuple[int, ...]
) -> Iterator[Applied]:
    first, second = targets
    basis: list[Applied] = [("h", (q,), ()) for q in targets] if name == "rxx" else []
    yield from basis
    yield "cx", (first, second), ()
    yield from _any("rz", params, controls, (second,))
    yield "cx", (first, second), ()
    yield from basis


def _controlled_phase(angle: Angle, qubits: tuple[int, ...]) -> Iterator[Applied]:
    """e^{i angle} on the state in which all of `qubits` are 1."""
    if len(qubits) == 1:
        yield "p", qubits, (angle,)
        return
    if len(qubits) == 2 or (angle == math.pi and len(qubits) == 3):
        name = {2: "cz" if angle == math.pi else "cp", 3: "ccz"}[len(qubits)]
        yield name, qubits, () if name != "cp" else (angle,)
        return
    *others, last, target = qubits
    half = scale(angle, 0.5)
    yield "cp", (last, target), (half,)
    yield from _any("x", (), tuple(others), (last,))
    yield "cp", (last, target), (negate(half),)
    yield from _any("x", (), tuple(others), (last,))
    yield from _controlled_phase(half, (*others, target))
