"""Pauli terms out of the operators of Qiskit and Cirq, without importing either."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from antiphon.domain.programs import Program
from antiphon.errors import ObservableError

Terms: TypeAlias = "Iterable[tuple[str, Any]]"
"""Pauli strings, qubit 0 rightmost, with their coefficients; a string may come several times."""


def qiskit_terms(obj: Any) -> Terms:
    """The terms of a Pauli, a SparsePauliOp or a SparseObservable.

    Raises:
        ObservableError: Another class of operator.
    """
    match type(obj).__name__:
        case "SparsePauliOp":
            return zip(obj.paulis.to_labels(), obj.coeffs.tolist(), strict=True)
        case "Pauli":
            label = obj.to_label()
            pauli = label.lstrip("+-i")
            return [(pauli, {0: 1.0, 1: -1j, 2: -1.0, 3: 1j}[obj.phase])]
        case "SparseObservable":
            # Projectors are sums of Paulis: written out, the terms are those that every engine knows.
            return [
                ("".join(reversed(_spread(letters, positions, obj.num_qubits))), coefficient)
                for letters, positions, coefficient in obj.as_paulis().to_sparse_list()
            ]
    raise ObservableError(
        f"A Qiskit {type(obj).__name__} is not an observable that can be estimated.",
        next_step="Convert it to a SparsePauliOp, e.g. with SparsePauliOp.from_operator.",
        details={"type": type(obj).__name__},
    )


def _spread(letters: str, positions: Iterable[int], width: int) -> list[str]:
    spread = ["I"] * width
    for letter, position in zip(letters, positions, strict=True):
        spread[position] = letter
    return spread


def qiskit_snapshot(obj: Any) -> tuple[bytes, ...] | None:
    """Everything that a SparsePauliOp is made of, for an exact comparison; None for other classes.

    Qiskit's own `==` compares coefficients to a tolerance, so a small change in place would go unnoticed.
    """
    if type(obj).__name__ != "SparsePauliOp":
        return None
    paulis = obj.paulis
    coefficients = obj.coeffs
    if coefficients.dtype.kind == "O":
        return None
    return coefficients.tobytes(), paulis.x.tobytes(), paulis.z.tobytes(), paulis.phase.tobytes()


def cirq_terms(obj: Any, program: Program) -> Terms:
    """The terms of a PauliString, a PauliSum, or a single Pauli on a qubit.

    Qubits are found by name among the program's; a program without names (of another SDK) takes line qubits by number.

    Raises:
        ObservableError: A qubit is not in the program, or another class of operator.
    """
    if type(obj).__name__ == "PauliSum":
        strings = list(obj)
    elif hasattr(obj, "items") and hasattr(obj, "coefficient"):
        strings = [obj]
    else:
        raise ObservableError(
            f"A Cirq {type(obj).__name__} is not an observable that can be estimated.",
            next_step="Convert it to a PauliSum, e.g. with cirq.PauliSum.from_pauli_strings.",
            details={"type": type(obj).__name__},
        )
    names = {name: position for position, name in enumerate(program.qubit_names)}
    if not program.qubit_names:
        names = {f"q({position})": position for position in range(program.num_qubits)}
    terms: list[tuple[str, Any]] = []
    for string in strings:
        letters = ["I"] * program.num_qubits
        for qubit, pauli in string.items():
            position = names.get(str(qubit))
            if position is None:
                raise ObservableError(
                    f"The observable acts on {qubit}, which is not a qubit of the program.",
                    cause=f"The program has {', '.join(list(names)[:8])}{', …' if len(names) > 8 else ''}.",
                    next_step="Build the observable from the circuit's own qubits.",
                    details={"qubit": str(qubit)},
                )
            letters[position] = str(pauli)
        terms.append(("".join(reversed(letters)), string.coefficient))
    return terms
