"""Counts as Cirq's results: records of shots under the circuit's own measurement keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cirq
import numpy as np

from antiphon.client.shots import distinct_bits, shot_order
from antiphon.domain.results import Counts, Sampled

_FURTHER = re.compile(r"(.+)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class PubFacts:
    """What a result needs to know of the circuit it belongs to.

    Attributes:
        registers: Name and size of each register of the program: one for each measurement.
        keys: For each measurement key the registers that its measurements wrote, in order.
        resolvers: One for each result.
    """

    registers: tuple[tuple[str, int], ...]
    keys: tuple[tuple[str, tuple[str, ...]], ...]
    resolvers: tuple[cirq.ParamResolver, ...]

    @classmethod
    def of(
        cls,
        registers: Sequence[tuple[str, int]],
        key_names: Collection[str],
        resolvers: Sequence[cirq.ParamResolver],
    ) -> PubFacts:
        """Put the registers key, key[1], key[2], … of a key that is measured several times together.

        Args:
            key_names: The circuit's own measurement keys, of which one may itself look like "key[1]".
        """
        keys: dict[str, list[str]] = {}
        for name, _ in registers:
            further = _FURTHER.fullmatch(name)
            if further and name not in key_names and further[1] in keys:
                keys[further[1]].append(name)
            else:
                keys[name] = [name]
        return cls(tuple(registers), tuple((key, tuple(names)) for key, names in keys.items()), tuple(resolvers))


def results_of(outcome: Sampled, pub: PubFacts, seed: Sequence[int]) -> list[cirq.ResultDict]:
    """One result for each parameter set, in the order of the sweep."""
    return [
        _result(counts, pub, resolver, (*seed, index))
        for index, (counts, resolver) in enumerate(zip(outcome.counts, pub.resolvers, strict=True))
    ]


def _result(counts: Counts, pub: PubFacts, resolver: cirq.ParamResolver, seed: Sequence[int]) -> cirq.ResultDict:
    bits = distinct_bits(list(counts), pub.registers)
    order = shot_order(counts.values(), seed)
    # Signed, as Cirq's own simulator gives them: in unsigned arithmetic 1 - 2·bit is 255.
    records = {key: np.stack([bits[name] for name in names], axis=1).astype(np.int8)[order] for key, names in pub.keys}
    return cirq.ResultDict(params=resolver, records=records)
