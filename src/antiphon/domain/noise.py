"""Noise that a simulator can apply: channels after operations, and errors of readout.

Every model of noise tells the same: which channels follow an operation, and how a qubit is misread (`Noise`). Engines
apply channels exactly where they can and twirled to Pauli errors where they sample trajectories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Protocol, TypeAlias

from antiphon.domain.circuits import Gate, Operation, Unitary
from antiphon.errors import ProgramError


@dataclass(frozen=True, slots=True)
class PauliChannel:
    """One of these Pauli strings strikes, each with its probability; with the rest of the probability nothing happens.

    Letter k of a string acts on `qubits[k]`. Strings are distinct, none is all I, probabilities sum to at most 1.
    """

    qubits: tuple[int, ...]
    errors: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """`qubit` relaxes to |0⟩ with time constant `t1` and loses phase with `t2` ≤ 2·t1, for `seconds`."""

    qubit: int
    seconds: float
    t1: float
    t2: float


Channel: TypeAlias = "PauliChannel | Relaxation"


class Noise(Protocol):
    """What a model of noise tells. Implementations are immutable, hashable, and can be pickled."""

    def __hash__(self) -> int:
        """Equal models hash alike."""
        ...

    @property
    def is_trivial(self) -> bool:
        """True when nothing would happen."""
        ...

    def after(self, operation: Operation) -> tuple[Channel, ...]:
        """The channels that follow a gate, a reset or a delay, in order; none for any other operation.

        A measurement's errors are those of `readout`, and channels that follow it for qubits that go on.
        """
        ...

    def readout(self, qubit: int) -> tuple[float, float]:
        """Probability of reading 1 when the qubit is 0, and of reading 0 when it is 1."""
        ...

    def on(self, qubits: tuple[int, ...]) -> Noise:
        """The same noise told of operations renumbered so that their qubit i is number `qubits[i]` of this one's."""
        ...

    @property
    def heeds_time(self) -> bool:
        """True when delays matter: an engine must keep them."""
        ...


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Depolarising noise after each gate and a symmetric or asymmetric readout flip; all are probabilities.

    Attributes:
        depolarizing_1q: Probability p of the channel (1-p)ρ + p·I/2 after each one-qubit gate (not after `id`,
            barriers and delays).
        depolarizing_2q: The same with I/4 on the pair after each two-qubit gate; on larger gates and unitaries each
            qubit gets the one-qubit channel with this probability.
        readout_p01: Probability of reading 1 when the qubit is 0.
        readout_p10: Probability of reading 0 when the qubit is 1.
    """

    depolarizing_1q: float = 0.0
    depolarizing_2q: float = 0.0
    readout_p01: float = 0.0
    readout_p10: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (isinstance(value, int | float) and 0.0 <= value <= 1.0):
                raise ProgramError(
                    f"The noise model's {name} is {value!r}, which is not a probability.",
                    code="noise-invalid",
                    next_step=f"Give {name} as a number from 0 to 1.",
                )

    @property
    def is_trivial(self) -> bool:
        """True when nothing would happen."""
        return not any(asdict(self).values())

    @property
    def heeds_time(self) -> bool:
        """Delays are free of noise in this model."""
        return False

    def on(self, qubits: tuple[int, ...]) -> NoiseModel:  # noqa: ARG002 - it is the same for all
        """Itself: it is the same for every qubit."""
        return self

    def after(self, operation: Operation) -> tuple[Channel, ...]:
        """Depolarising noise after gates other than `id`."""
        if not isinstance(operation, Gate | Unitary) or (isinstance(operation, Gate) and operation.name == "id"):
            return ()
        match len(operation.qubits):
            case 1:
                return depolarizing(operation.qubits, self.depolarizing_1q)
            case 2:
                return depolarizing(operation.qubits, self.depolarizing_2q)
            case _:
                return tuple(c for qubit in operation.qubits for c in depolarizing((qubit,), self.depolarizing_2q))

    def readout(self, qubit: int) -> tuple[float, float]:  # noqa: ARG002 - it is the same for all
        """The same for every qubit."""
        return self.readout_p01, self.readout_p10

    def to_json(self) -> dict[str, float]:
        """The model as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NoiseModel:
        """The inverse of `to_json`; an unknown key is refused."""
        unknown = set(data) - set(cls.__slots__)
        if unknown:
            raise ProgramError(
                f"The noise model has no setting {min(unknown)!r}.",
                code="noise-invalid",
                next_step=f"Use {', '.join(cls.__slots__)}.",
            )
        return cls(**data)


def depolarizing(qubits: tuple[int, ...], probability: float) -> tuple[Channel, ...]:
    """(1-p)ρ + p·I/d as Pauli errors, each with p/d²; nothing for p = 0."""
    if not probability:
        return ()
    strings = ["".join(letters) for letters in product("IXYZ", repeat=len(qubits))][1:]
    each = probability / 4 ** len(qubits)
    return (PauliChannel(qubits, tuple((string, each) for string in strings)),)
