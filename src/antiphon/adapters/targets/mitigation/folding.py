"""Noise amplified: gates G repeated as G G⁻¹ G, which does nothing but err three times as often.

The rule for factors between the odd numbers (some gates once more than others, drawn at random) is that of Mitiq's
local folding and of qiskit-mitigation's `GateFoldingPass`, with which the tests compare.
"""

from __future__ import annotations

import numpy as np

from antiphon.adapters.targets.mitigation.inverses import inverse_of
from antiphon.domain.circuits import Barrier, Delay, Gate, Operation, Unitary

Operations = tuple[Operation, ...]


def folded(operations: Operations, factor: float, folding: str, rng: np.random.Generator) -> tuple[Operations, float]:
    """Operations at amplified noise, and the factor that was reached, by the number of gates.

    Barriers stand between a gate and its inverse, so that no compiler takes both away.

    Args:
        folding: "two-qubit" (gates on two or more qubits), "all" gates, or the whole "circuit".
    """
    if folding == "circuit":
        return _whole(operations, factor)
    places = [place for place, operation in enumerate(operations) if _is_folded(operation, folding)]
    if not places or factor <= 1:
        return operations, 1.0
    each, wanted = divmod(round((factor - 1) * len(places) / 2), len(places))
    more = set(rng.choice(len(places), wanted, replace=False).tolist()) if wanted else set()
    times = {place: each + (index in more) for index, place in enumerate(places)}
    out: list[Operation] = []
    for place, operation in enumerate(operations):
        out.append(operation)
        for _ in range(times.get(place, 0)):
            barrier = Barrier(_qubits(operation))
            out += [barrier, *inverse_of(operation), barrier, operation]
    return tuple(out), 1.0 + 2.0 * sum(times.values()) / len(places)


def reached(operations: Operations, factor: float, folding: str) -> float:
    """The factor that folding reaches: a whole number of gates is repeated."""
    number = sum(_is_folded(operation, "all" if folding == "circuit" else folding) for operation in operations)
    return 1.0 + 2.0 * round((factor - 1) * number / 2) / number if number else 1.0


def can_fold(operations: Operations, folding: str) -> bool:
    """Whether there is anything whose noise could be amplified."""
    return any(_is_folded(operation, "all" if folding == "circuit" else folding) for operation in operations)


def _is_folded(operation: Operation, folding: str) -> bool:
    if not isinstance(operation, Gate | Unitary) or (isinstance(operation, Gate) and operation.name == "id"):
        return False
    return len(operation.qubits) > 1 or folding != "two-qubit"


def _whole(operations: Operations, factor: float) -> tuple[Operations, float]:
    """U (U⁻¹ U)^k, and of the last gates once more for what is between."""
    body = tuple(operation for operation in operations if isinstance(operation, Gate | Unitary | Delay | Barrier))
    gates = [place for place, operation in enumerate(body) if _is_folded(operation, "all")]
    if not gates or factor <= 1:
        return operations, 1.0
    each, more = divmod(round((factor - 1) * len(gates) / 2), len(gates))
    everywhere = Barrier(tuple(sorted({qubit for operation in body for qubit in _qubits(operation)})))
    tail = body[gates[-more] :] if more else ()
    out: list[Operation] = list(operations)
    for part in [body] * each + [tail] * bool(more):
        out += [everywhere, *_undone(part), everywhere, *part]
    return tuple(out), 1.0 + 2.0 * (each * len(gates) + more) / len(gates)


def _undone(operations: Operations) -> list[Operation]:
    return [
        inverse
        for operation in reversed(operations)
        for inverse in ((operation,) if isinstance(operation, Barrier) else inverse_of(operation))
    ]


def _qubits(operation: Operation) -> tuple[int, ...]:
    if isinstance(operation, Delay):
        return (operation.qubit,)
    return operation.qubits if isinstance(operation, Gate | Unitary | Barrier) else ()
