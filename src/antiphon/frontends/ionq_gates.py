"""IonQ's gates in the words of the gate table, exactly, up to a global phase.

`qis` angles are radians; those of the native gates are turns of 2π. Any `qis` gate may have controls. Source: as stated
in `ionq`; the native gates' matrices are those of cirq-ionq.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.openqasm_gates import Element, gates_of

Word: TypeAlias = tuple[str, tuple[int, ...], tuple[Any, ...]]
"""A gate of the table, its qubits and angles."""

MOST_CONTROLS = 7
"""What IonQ documents; every further control triples the number of gates."""

MOST_TERMS = 1_000
"""Terms of one `pauliexp`: each pair of them is compared."""

_TURN = 2 * math.pi
_BIGGEST_QUBIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Instruction:
    """One operation of a circuit; `place` is its index, for messages."""

    place: int
    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The gate's name."""
        name = self.entry.get("gate")
        if not isinstance(name, str):
            raise self.invalid(f"names no gate, but {name!r:.100}")
        return name

    def qubits(self, what: str) -> tuple[int, ...]:
        """Its targets or controls, given as one number (`target`) or a list (`targets`)."""
        one, many = self.entry.get(what), self.entry.get(f"{what}s")
        found = [one] if many is None and one is not None else many if many is not None else []
        if one is not None and many is not None:
            raise self.invalid(f'has both "{what}" and "{what}s"')
        if not isinstance(found, list) or not all(_is_qubit(qubit) for qubit in found):
            raise self.invalid(f'has {found!r:.100} as "{what}s", not a list of qubit numbers')
        return tuple(found)

    def targets(self, number: int) -> tuple[int, ...]:
        """Its targets, which must be so many."""
        found = self.qubits("target")
        if len(found) != number:
            raise self.invalid(f"acts on {number} qubit{'s' if number > 1 else ''} and names {len(found)} targets")
        return self._distinct(found)

    def _distinct(self, qubits: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(qubits)) != len(qubits):
            raise self.invalid("names one qubit twice")
        return qubits

    def controls(self) -> tuple[int, ...]:
        """Its controls; none for most gates."""
        found = self.qubits("control")
        if len(found) > MOST_CONTROLS:
            raise LimitError(
                f"Operation {self.place} of the IonQ circuit has {len(found)} controls, more than {MOST_CONTROLS}.",
                next_step="Decompose it with ancilla qubits.",
            )
        self._distinct((*found, *self.qubits("target")))
        return found

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number that it holds."""
        return self.finite(key, self.entry.get(key, default))

    def finite(self, key: str, value: object) -> float:
        """The value as a float, if it is a finite number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.invalid(f'has {value!r:.100} as "{key}", not a finite number')
        return float(value)

    def listed(self, key: str) -> list[Any]:
        """A list that it holds."""
        value = self.entry.get(key)
        if not isinstance(value, list):
            raise self.invalid(f'has {value!r:.100} as "{key}", not a list')
        return value

    def invalid(self, what: str) -> ProgramError:
        """The refusal of this operation."""
        return ProgramError(
            f"Operation {self.place} of the IonQ circuit, {dict(self.entry)!r:.200}, {what}.",
            code="ionq-invalid",
            next_step='Write it as {"gate": "rx", "target": 0, "rotation": 0.5}.',
            details={"operation": self.place},
        )


def _is_qubit(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _BIGGEST_QUBIT


Reader: TypeAlias = Callable[[Instruction], Iterator[Word]]


def _fixed(word: str, targets: int = 1) -> Reader:
    def read(one: Instruction) -> Iterator[Word]:
        if "rotation" in one.entry:
            raise one.invalid("takes no rotation")
        return gates_of(Element(word, (), one.controls(), one.targets(targets)))

    return read


def _turned(word: str, targets: int = 1) -> Reader:
    def read(one: Instruction) -> Iterator[Word]:
        return gates_of(Element(word, (one.number("rotation"),), one.controls(), one.targets(targets)))

    return read


def _z(one: Instruction) -> Iterator[Word]:
    # Qiskit's phase gates come as z with a rotation.
    return (_turned("p") if "rotation" in one.entry else _fixed("z"))(one)


def _cnot(one: Instruction) -> Iterator[Word]:
    if not one.controls():
        raise one.invalid("has no control")
    return _fixed("x")(one)


def _yy(one: Instruction) -> Iterator[Word]:
    """exp(-iθYY/2): ZZ between changes of basis, which need no controls of their own."""
    pair = one.targets(2)
    middle = Element("rzz", (one.number("rotation"),), one.controls(), pair)
    yield from ((("rx", (qubit,), (math.pi / 2,))) for qubit in pair)
    yield from gates_of(middle)
    yield from ((("rx", (qubit,), (-math.pi / 2,))) for qubit in pair)


def _pauliexp(one: Instruction) -> Iterator[Word]:
    """exp(-i·time·Σ c P) of Pauli strings that commute; the rightmost letter acts on the first target."""
    if one.qubits("control"):
        raise one.invalid("takes no controls")
    targets = one.qubits("target")
    terms, coefficients = one.listed("terms"), one.listed("coefficients")
    if len(terms) > MOST_TERMS:
        raise LimitError(
            f"Operation {one.place} of the IonQ circuit has {len(terms):,} terms, more than {MOST_TERMS:,}.",
            next_step="Split it into several operations.",
        )
    if len(terms) != len(coefficients) or not targets or len(set(targets)) != len(targets):
        raise one.invalid("needs different targets, and as many coefficients as terms")
    for term in terms:
        if not isinstance(term, str) or len(term) != len(targets) or set(term) - set("IXYZ"):
            raise one.invalid(f"has the term {term!r:.100}, not a letter of I, X, Y, Z for each target")
    for first, second in combinations(terms, 2):
        if sum(a != b and "I" not in (a, b) for a, b in zip(first, second, strict=True)) % 2:
            raise UnsupportedProgramError(
                f"Operation {one.place} of the IonQ circuit evolves under terms that do not commute.",
                cause=f"{first} and {second}",
                next_step="Write the steps of the product formula out, e.g. with Qiskit's LieTrotter synthesis.",
                details={"instruction": "pauliexp"},
            )
    time = one.number("time")
    for term, coefficient in zip(terms, coefficients, strict=True):
        yield from _evolution(term, targets, 2 * time * one.finite("coefficients", coefficient))


def _evolution(term: str, targets: Sequence[int], angle: float) -> Iterator[Word]:
    """exp(-i·angle/2·P): a rotation about Z of the parity, between changes of basis."""
    letters = [(letter, target) for letter, target in zip(reversed(term), targets, strict=True) if letter != "I"]
    if not letters:
        return
    *others, last = [target for _, target in letters]
    there: list[Word] = [
        ("h", (target,), ()) if letter == "X" else ("rx", (target,), (math.pi / 2,))
        for letter, target in letters
        if letter != "Z"
    ]
    back: list[Word] = [
        ("h", (target,), ()) if letter == "X" else ("rx", (target,), (-math.pi / 2,))
        for letter, target in letters
        if letter != "Z"
    ]
    parity: list[Word] = [("cx", (other, last), ()) for other in others]
    yield from there
    yield from parity
    yield "rz", (last,), (angle,)
    yield from reversed(parity)
    yield from back


def _gpi(half_turns: float) -> Reader:
    def read(one: Instruction) -> Iterator[Word]:
        _refuse_controls(one)
        yield "r", one.targets(1), (half_turns * math.pi, _TURN * one.number("phase"))

    return read


def _ms(one: Instruction) -> Iterator[Word]:
    _refuse_controls(one)
    pair = one.targets(2)
    phases = [_TURN * one.finite("phases", phase) for phase in one.listed("phases")]
    if len(phases) != 2:
        raise one.invalid("needs two phases")
    yield from (("rz", (qubit,), (-phase,)) for qubit, phase in zip(pair, phases, strict=True))
    yield "rxx", pair, (_TURN * one.number("angle", 0.25),)
    yield from (("rz", (qubit,), (phase,)) for qubit, phase in zip(pair, phases, strict=True))


def _native_zz(one: Instruction) -> Iterator[Word]:
    _refuse_controls(one)
    # Qiskit's exporter says "angle", Cirq's "phase".
    yield "rzz", one.targets(2), (_TURN * one.number("angle" if "angle" in one.entry else "phase"),)


def _refuse_controls(one: Instruction) -> None:
    if one.qubits("control"):
        raise one.invalid("is a native gate, which takes no controls")


QIS: Mapping[str, Reader] = {
    **{name: _fixed(name) for name in ("x", "y", "h", "s", "t", "id")},
    "i": _fixed("id"),
    "z": _z,
    "not": _fixed("x"),
    "cnot": _cnot,
    "si": _fixed("sdg"),
    "ti": _fixed("tdg"),
    "v": _fixed("sx"),
    "vi": _fixed("sxdg"),
    **{name: _turned(name) for name in ("rx", "ry", "rz")},
    "swap": _fixed("swap", 2),
    "xx": _turned("rxx", 2),
    "yy": _yy,
    "zz": _turned("rzz", 2),
    "pauliexp": _pauliexp,
}

NATIVE: Mapping[str, Reader] = {"gpi": _gpi(1.0), "gpi2": _gpi(0.5), "ms": _ms, "zz": _native_zz}
