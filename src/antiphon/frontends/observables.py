"""Observables as users write them: dicts of Pauli strings, Qiskit operators, Cirq Pauli sums, and arrays of these."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from antiphon.domain.observables import Observable
from antiphon.domain.programs import Program
from antiphon.errors import ObservableError
from antiphon.frontends.observables_terms import Terms, cirq_terms, qiskit_snapshot, qiskit_terms
from antiphon.frontends.recognise_cache import RecognisedCache

NOT_HERMITIAN = 1e-10
"""A coefficient whose imaginary part is larger is refused; a smaller one is rounding, and dropped."""

_PAULI = re.compile(r"[IXYZ]+")
_seen: RecognisedCache[Any, Observable] = RecognisedCache()


def to_observables(obj: object, program: Program) -> tuple[tuple[Observable, ...], tuple[int, ...]]:
    """The observables in `obj`, flat in C order, and the shape of the array they form: () for a single one.

    An observable is a mapping from Pauli strings to coefficients, a Pauli string, a Qiskit Pauli or SparsePauliOp, a
    Cirq PauliString or PauliSum (its qubits are found by name in the program), or an `Observable`. In a string qubit 0
    is the rightmost letter. Lists, tuples and NumPy arrays of these may be nested.

    Raises:
        ObservableError: Not Hermitian, of another width than the program, on a qubit that the program does not have, or
            not an observable at all.
    """
    if not _is_array(obj):
        return (_one(obj, program),), ()
    flat: list[Observable] = []
    shape = _flatten(obj, program, flat, 0)
    return tuple(flat), shape


def _is_array(obj: object) -> bool:
    if isinstance(obj, list | tuple | np.ndarray):
        return True
    kind = type(obj)
    return kind.__module__.startswith("qiskit.") and kind.__name__ in {"PauliList", "ObservablesArray"}


def _flatten(obj: Any, program: Program, flat: list[Observable], depth: int) -> tuple[int, ...]:
    if not _is_array(obj):
        flat.append(_one(obj, program))
        return ()
    if depth > 32:
        raise ObservableError("The observables are nested more than 32 deep.", next_step="Give a flat list.")
    if isinstance(obj, np.ndarray) and obj.ndim == 0:
        return _flatten(obj.item(), program, flat, depth + 1)
    if type(obj).__name__ == "ObservablesArray":
        return _flatten(obj.tolist(), program, flat, depth + 1)
    shapes = [_flatten(entry, program, flat, depth + 1) for entry in obj]
    if any(shape != shapes[0] for shape in shapes):
        raise ObservableError(
            "The array of observables is ragged.",
            cause=f"Its rows have the shapes {sorted(set(shapes))}.",
            next_step="Give every row the same number of observables.",
        )
    return (len(shapes), *(shapes[0] if shapes else ()))


def _one(obj: Any, program: Program) -> Observable:
    if isinstance(obj, Observable):
        _check_width(obj.num_qubits, program.num_qubits)
        return _from_items(obj.terms, program.num_qubits)
    if isinstance(obj, str):
        return _from_items(((obj, 1.0),), program.num_qubits)
    if isinstance(obj, Mapping):
        items = tuple(obj.items())
        if not items:
            raise ObservableError("The observable holds no term.", next_step='Give at least one, like {"ZZ": 0.5}.')
        try:
            return _from_items(items, program.num_qubits)
        except TypeError:  # a coefficient that cannot be hashed; its own error is the clearer one
            return _from_items.__wrapped__(items, program.num_qubits)
    package = type(obj).__module__.partition(".")[0]
    if package == "qiskit":
        return _qiskit(obj, program)
    if package == "cirq":
        return _cirq(obj, program)
    raise ObservableError(
        f"A {type(obj).__name__} is not an observable.",
        next_step='Give a mapping like {"ZZ": 0.5, "XI": 0.2}, a Qiskit SparsePauliOp or a Cirq PauliSum.',
        details={"type": type(obj).__name__},
    )


def _cirq(obj: Any, program: Program) -> Observable:
    if type(obj).__name__ != "PauliSum":
        return _observable(cirq_terms(obj, program), program.num_qubits)
    names = (program.num_qubits, program.qubit_names)
    found = _seen.get(obj, lambda copy: copy[0] == names and copy[1] == obj)
    if found is None:
        found = _observable(cirq_terms(obj, program), program.num_qubits)
        _seen.put(obj, (names, obj.copy()), found)
    return found


def _qiskit(obj: Any, program: Program) -> Observable:
    snapshot = qiskit_snapshot(obj)
    if snapshot is None:
        return _observable(qiskit_terms(obj), program.num_qubits)
    found = _seen.get(obj, snapshot.__eq__)
    if found is None:
        found = _observable(qiskit_terms(obj), program.num_qubits)
        _seen.put(obj, snapshot, found)
    _check_width(found.num_qubits, program.num_qubits)
    return found


@lru_cache(maxsize=64)
def _from_items(items: tuple[tuple[Any, Any], ...], num_qubits: int) -> Observable:
    """By content: a mapping cannot be remembered by identity, and hashing it is quicker than reading it again."""
    return _observable(((_pauli(pauli), value) for pauli, value in items), num_qubits)


def _observable(terms: Terms, num_qubits: int) -> Observable:
    """Equal strings added up, sorted; zeros left out unless nothing else is left."""
    total: dict[str, float] = {}
    for pauli, value in terms:
        if len(pauli) != num_qubits:
            _check_width(len(pauli), num_qubits)
        total[pauli] = total.get(pauli, 0.0) + _real(pauli, value)
    kept = {pauli: value for pauli, value in total.items() if value != 0.0}
    if not kept:
        kept = {min(total, default="I" * num_qubits): 0.0}
    return Observable(num_qubits, tuple(sorted(kept.items())))


def _pauli(label: Any) -> str:
    if isinstance(label, str) and _PAULI.fullmatch(label):
        return label
    raise ObservableError(
        f"{label!r} is not a Pauli string.",
        cause="A Pauli string holds one of the letters I, X, Y, Z for each qubit, qubit 0 rightmost.",
        next_step='Write it like "IZZ", and give a sign or factor as the coefficient.',
        details={"pauli": str(label)},
    )


def _real(pauli: str, value: Any) -> float:
    try:
        number = complex(value)
    except (TypeError, ValueError):
        raise ObservableError(
            f"The coefficient of {pauli} is {value!r}, which is not a number.",
            next_step="Bind or evaluate the coefficient before you submit.",
            details={"pauli": pauli},
        ) from None
    if not (math.isfinite(number.real) and math.isfinite(number.imag)):
        raise ObservableError(
            f"The coefficient of {pauli} is {value!r}, which is not finite.",
            next_step="Look for the step that produced it.",
            details={"pauli": pauli},
        )
    if abs(number.imag) > NOT_HERMITIAN:
        raise ObservableError(
            f"The coefficient of {pauli} is {number}, so the observable is not Hermitian.",
            cause=f"Its imaginary part exceeds {NOT_HERMITIAN}.",
            next_step="Estimate the Hermitian and the anti-Hermitian part one by one.",
            details={"pauli": pauli},
        )
    return number.real


def _check_width(width: int, num_qubits: int) -> None:
    if width != num_qubits:
        raise ObservableError(
            f"The observable acts on {width} qubits, the program has {num_qubits}.",
            next_step="Write one letter for each qubit of the program; for a transpiled Qiskit circuit use "
            "observable.apply_layout(circuit.layout).",
            details={"observable_qubits": width, "program_qubits": num_qubits},
        )
