"""Channels of noise in the forms that engines apply: Pauli errors drawn by chance, and superoperators."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from antiphon.adapters.targets.sim.matrices import Matrix, gate_matrix
from antiphon.domain.circuits import Operation
from antiphon.domain.device_noise import twirled
from antiphon.domain.noise import Channel, Noise, PauliChannel, Relaxation

_MERGED_QUBITS = 2
_BITS = {"I": 0, "X": 1, "Z": 2, "Y": 3}  # a product of Paulis is the exclusive or of these


@lru_cache(maxsize=4096)
def pauli_channels(noise: Noise, operation: Operation) -> tuple[PauliChannel, ...]:
    """The Pauli errors after an operation: relaxation twirled, channels on one pair of qubits merged into one."""
    found = [twirled(channel) if isinstance(channel, Relaxation) else channel for channel in noise.after(operation)]
    return tuple(_struck(channel) for channel in _merged(found) if chance_of(channel) > 0.0)


@lru_cache(maxsize=4096)
def superoperators(noise: Noise, operation: Operation) -> tuple[tuple[Matrix, tuple[int, ...]], ...]:
    """The channels after an operation as matrices on vec(ρ), columns stacked, each with its qubits, in order.

    Channels on at most two qubits in all are one matrix. qubits[0] is the least significant bit of row and column.
    """
    channels = noise.after(operation)
    if not channels:
        return ()
    qubits = _qubits_of(channels)
    if len(qubits) <= _MERGED_QUBITS:
        whole: Matrix = np.eye(4 ** len(qubits), dtype=np.complex128)
        for channel in channels:
            whole = _superoperator(channel, qubits) @ whole
        return ((whole, qubits),)
    return tuple((_superoperator(channel, _qubits_of([channel])), _qubits_of([channel])) for channel in channels)


@dataclass(frozen=True, slots=True)
class Error:
    """What may strike instead of nothing.

    Attributes:
        chance: Its probability.
        paulis: Primitives ("x", "y" or "z") and the qubits they are applied to.
        damped: Then, if given, a qubit is damped until its |1⟩ has this much of its amplitude left, a negative one
            for a phase flip; 0 is a reset.
    """

    chance: float
    paulis: tuple[tuple[str, int], ...] = ()
    damped: tuple[int, float] | None = None


def errors_of(channel: Channel) -> tuple[Error, ...]:
    """The channel, exactly, as a mixture of nothing and these errors; the chances do not depend on the state."""
    if isinstance(channel, PauliChannel):
        return tuple(
            Error(chance, tuple((one.lower(), q) for one, q in zip(string, channel.qubits, strict=True) if one != "I"))
            for string, chance in channel.errors
            if chance
        )
    lost = -math.expm1(-channel.seconds / channel.t1)
    dephased = -math.expm1(-channel.seconds / channel.t2)
    if dephased >= lost:
        # Where the phase goes first, a reset and a phase flip are all there is.
        flip = Error((dephased - lost) / 2.0, (("z", channel.qubit),))
        found = [flip, Error(lost, damped=(channel.qubit, 0.0))]
    else:
        # Else a stronger damping, so rare that what is left is the identity with all the weight it can have.
        surplus = 2.0 * dephased - lost
        weight = dephased**2 / surplus if surplus > dephased**2 else 1.0
        kept = 1.0 - dephased / weight if weight < 1.0 else math.sqrt(1.0 - lost)
        found = [Error(weight, damped=(channel.qubit, kept))]
    return tuple(error for error in found if error.chance > 0.0)


def chance_of(channel: PauliChannel) -> float:
    """Probability that any of its errors strikes."""
    return min(1.0, math.fsum(chance for _, chance in channel.errors))


def expected_errors(operations: Iterable[Operation], noise: Noise) -> float:
    """How many errors strike a shot of a static circuit on average."""
    return sum(chance_of(channel) for operation in operations for channel in pauli_channels(noise, operation))


def _qubits_of(channels: Sequence[Channel]) -> tuple[int, ...]:
    """Their qubits, in the order of the widest channel."""
    each = [(channel.qubit,) if isinstance(channel, Relaxation) else channel.qubits for channel in channels]
    return tuple(dict.fromkeys(qubit for qubits in sorted(each, key=len, reverse=True) for qubit in qubits))


def _struck(channel: PauliChannel) -> PauliChannel:
    return PauliChannel(channel.qubits, tuple((string, chance) for string, chance in channel.errors if chance))


def _merged(channels: Sequence[PauliChannel]) -> Sequence[PauliChannel]:
    if len(channels) <= 1:
        return channels
    qubits = _qubits_of(channels)
    if len(qubits) > _MERGED_QUBITS:
        return channels
    size = 4 ** len(qubits)
    codes = np.arange(size)
    chances = np.zeros(size)
    chances[0] = 1.0
    for channel in channels:
        own = np.zeros(size)
        for string, chance in channel.errors:
            own[_code(string, [qubits.index(qubit) for qubit in channel.qubits])] += chance
        own[0] += 1.0 - own.sum()
        chances = chances[codes[:, None] ^ codes[None, :]] @ own
    strings = [
        (string, float(chances[_code(string, range(len(qubits)))]))
        for string in ("".join(letters) for letters in product("IXYZ", repeat=len(qubits)))
    ]
    return [PauliChannel(qubits, tuple(strings[1:]))]


def _code(string: str, places: Sequence[int]) -> int:
    return sum(_BITS[letter] << 2 * place for letter, place in zip(string, places, strict=True))


def _superoperator(channel: Channel, qubits: tuple[int, ...]) -> Matrix:
    whole: Matrix = np.zeros((4 ** len(qubits),) * 2, dtype=np.complex128)
    for operator in _operators(channel, qubits):
        whole += np.kron(operator.conj(), operator)
    return whole


def _operators(channel: Channel, qubits: tuple[int, ...]) -> list[Matrix]:
    """Kraus operators on all of `qubits`."""
    if isinstance(channel, PauliChannel):
        rest = max(0.0, 1.0 - math.fsum(chance for _, chance in channel.errors))
        identity = "I" * len(channel.qubits)
        return [
            math.sqrt(chance) * _on(qubits, dict(zip(channel.qubits, map(_pauli, string), strict=True)))
            for string, chance in ((identity, rest), *channel.errors)
        ]
    return [_on(qubits, {channel.qubit: operator}) for operator in relaxing_operators(channel)]


def relaxing_operators(channel: Relaxation) -> list[Matrix]:
    """Kraus operators of relaxation: amplitude damping, then the dephasing that T2 has beyond it."""
    kept = math.exp(-channel.seconds / channel.t1) if math.isfinite(channel.t1) else 1.0
    coherent = math.exp(-channel.seconds / channel.t2) if math.isfinite(channel.t2) else 1.0
    root = math.sqrt(kept)
    flipped = (1.0 - min(1.0, coherent / root)) / 2.0 if root else 0.0
    damping = [np.array([[1.0, 0.0], [0.0, root]]), np.array([[0.0, math.sqrt(1.0 - kept)], [0.0, 0.0]])]
    phases = [math.sqrt(1.0 - flipped) * np.eye(2), math.sqrt(flipped) * np.diag([1.0, -1.0])]
    return [(phase @ damped).astype(np.complex128) for damped in damping for phase in phases]


def _on(qubits: tuple[int, ...], operators: dict[int, Matrix]) -> Matrix:
    whole: Matrix = np.eye(1, dtype=np.complex128)
    for qubit in qubits:
        whole = np.kron(operators.get(qubit, np.eye(2)), whole).astype(np.complex128)
    return whole


def _pauli(letter: str) -> Matrix:
    return gate_matrix("id" if letter == "I" else letter.lower())
