"""The inverse of each gate of the table, as gates of the table."""

from __future__ import annotations

import numpy as np

from antiphon.adapters.targets.sim.angles import scale
from antiphon.domain.circuits import Delay, Gate, Operation, Unitary
from antiphon.errors import UnsupportedProgramError

_OWN = frozenset("id x y z h cx cy cz ch swap ecr ccx ccz cswap".split())  # noqa: SIM905 - a list of words
_PAIRS = {"s": "sdg", "t": "tdg", "sx": "sxdg"}
_OTHER = {**_PAIRS, **{right: left for left, right in _PAIRS.items()}}
_TURNS = frozenset("rx ry rz p crx cry crz cp rxx ryy rzz rzx".split())  # noqa: SIM905


def inverse_of(operation: Operation) -> tuple[Operation, ...]:
    """Operations that undo `operation`; a delay waits as long again.

    Raises:
        UnsupportedProgramError: It cannot be undone.
    """
    match operation:
        case Gate(name) if name in _OWN:
            return (operation,)
        case Gate(name, qubits) if name in _OTHER:
            return (Gate(_OTHER[name], qubits),)
        case Gate(name, qubits, (angle,)) if name in _TURNS:
            return (Gate(name, qubits, (scale(angle, -1.0),)),)
        case Gate("u", qubits, (theta, phi, lam)):
            return (Gate("u", qubits, (scale(theta, -1.0), scale(lam, -1.0), scale(phi, -1.0))),)
        case Gate("cu", qubits, (theta, phi, lam, gamma)):
            turned = (scale(theta, -1.0), scale(lam, -1.0), scale(phi, -1.0), scale(gamma, -1.0))
            return (Gate("cu", qubits, turned),)
        case Gate("r", qubits, (theta, phi)):
            return (Gate("r", qubits, (scale(theta, -1.0), phi)),)
        case Gate("dcx", (left, right)):
            return (Gate("dcx", (right, left)),)
        case Gate("iswap", (left, right)):  # twice it is Z on both
            return (Gate("iswap", (left, right)), Gate("z", (left,)), Gate("z", (right,)))
        case Gate("csx", qubits):  # twice it is cx
            return (Gate("csx", qubits), Gate("cx", qubits))
        case Unitary(matrix, qubits):
            size = 2 ** len(qubits)
            turned_back = np.array(matrix).reshape(size, size).conj().T.ravel().tolist()
            return (Unitary(tuple(turned_back), qubits),)
        case Delay():
            return (operation,)
        case _:
            raise UnsupportedProgramError(
                f"{getattr(operation, 'name', type(operation).__name__)!r} cannot be undone, so it cannot be folded.",
                code="mitigation-unsupported",
                next_step='Use "folding": "two-qubit", which leaves it alone, or no extrapolation.',
            )
