"""The inverse of noise that is known: each operation's channels as one Pauli channel, and its inverse.

In the Pauli basis a Pauli channel is diagonal; its entries, the fidelities λ(P) = Σ p(Q)·(-1)^⟨P,Q⟩, multiply when
channels follow each other and are inverted one by one (van den Berg et al., Nat. Phys. 19, 1116 (2023)). Relaxation is
taken as twirled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.mitigation.randomising import Inverse
from antiphon.domain.circuits import Measure, Operation
from antiphon.domain.device_noise import twirled
from antiphon.domain.mitigation import refusal
from antiphon.domain.noise import Noise, PauliChannel

MOST_OVERHEAD = 1e4
"""Above so many times the shots of a noise-free machine nobody gets an answer."""
WIDEST = 3


def inverse_noise(noise: Noise) -> Callable[[Operation], tuple[Inverse, ...]]:
    """What undoes the noise that follows an operation, on average; empty where it has none."""

    def inverse_of(operation: Operation) -> tuple[Inverse, ...]:
        if isinstance(operation, Measure):
            return ()  # what it does to qubits, crosstalk to those that the program does not use included, stays
        channels = tuple(
            channel if isinstance(channel, PauliChannel) else twirled(channel) for channel in noise.after(operation)
        )
        qubits = tuple(sorted({qubit for channel in channels for qubit in channel.qubits}))
        if not qubits:
            return ()
        if len(qubits) > WIDEST:
            return tuple(found for channel in channels for found in _inverse((channel,), channel.qubits))
        return _inverse(channels, qubits)

    return inverse_of


def total_gamma(operations: tuple[Operation, ...], inverse_of: Callable[[Operation], tuple[Inverse, ...]]) -> float:
    """The weight of a sample of the whole circuit: the product of all gammas.

    Raises:
        ProgramError: Its square, the overhead in shots, is more than anybody can pay (code "mitigation-invalid").
    """
    gamma = 1.0
    for operation in operations:
        for inverse in inverse_of(operation):
            gamma *= inverse.gamma
    if gamma**2 > MOST_OVERHEAD:
        raise refusal(
            "pec",
            f"the circuit is so noisy that cancelling takes {gamma**2:.2g} times the shots; the limit is "
            f"{MOST_OVERHEAD:,.0f}",
            'Use "zne", which is biased and costs less, or a shorter circuit.',
        )
    return gamma


@lru_cache(maxsize=4096)
def _inverse(channels: tuple[PauliChannel, ...], qubits: tuple[int, ...]) -> tuple[Inverse, ...]:
    strings = tuple("".join(letters) for letters in product("IXYZ", repeat=len(qubits)))
    signs = _signs(strings)
    fidelities = np.ones(len(strings))
    for channel in channels:
        chances = np.zeros(len(strings))
        for letters, chance in channel.errors:
            on = dict(zip(channel.qubits, letters, strict=True))
            chances[strings.index("".join(on.get(qubit, "I") for qubit in qubits))] += chance
        chances[0] += 1.0 - chances.sum()
        fidelities *= signs @ chances
    if np.allclose(fidelities, 1.0, atol=1e-15):
        return ()
    if fidelities.min() <= 1e-3:
        raise refusal("pec", "an operation's noise leaves nothing to restore", "Leave pec out.")
    weights = signs @ (1.0 / fidelities) / len(strings)
    return (Inverse(qubits, strings, tuple(weights.tolist())),)


def _signs(strings: tuple[str, ...]) -> NDArray[np.float64]:
    """(-1) where two strings anticommute."""
    return np.array(
        [
            [
                -1.0 if sum(a != "I" and b != "I" and a != b for a, b in zip(left, right, strict=True)) % 2 else 1.0
                for right in strings
            ]
            for left in strings
        ]
    )
