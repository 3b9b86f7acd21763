"""A work as the programs that a vendor is sent, and the vendor's counts as the outcomes of the work.

Both go through a pub in the same order, so that the counts of a piece find their place by it. What is sent has bits for
the measured qubits alone; a bit that is never set reads 0.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.pauli_sampling import Energies, bit_energies, grouped_on, sampled_value
from antiphon.adapters.targets.sim.paulis import Group
from antiphon.adapters.targets.sim.reading import features_of
from antiphon.adapters.targets.sim.task import Value, estimated, over_observables, parameter_array
from antiphon.adapters.targets.vendors.lowering import write_dynamic, write_rotated, write_static
from antiphon.adapters.targets.vendors.wire import Json
from antiphon.domain.circuits import Register
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.domain.results import Estimated, Outcome, Sampled
from antiphon.domain.returned import as_returned
from antiphon.domain.work import Pub, Work
from antiphon.ports.provider import RefusedByProviderError

Result: TypeAlias = "Mapping[str, Any]"
"""What a vendor says of one piece: `bits`, counts of strings with bit 0 rightmost, or `values`, counts of displays."""

QIR = frozenset({ProgramFormat.QIR_TEXT, ProgramFormat.QIR_BITCODE})

_features: BoundedCache[Features] = BoundedCache(500_000, lambda features: len(features.operations) + 1)


def features_for(program: Program) -> Features | None:
    """The circuit on its used qubits, with the delays that matter; None when there is no circuit."""
    circuit = program.circuit
    if circuit is None:
        return None
    return _features.get((program.digest, program.entry_point), lambda: features_of(circuit, keep_delays=True))


def pieces_of(work: Work) -> Iterator[Json]:
    """What is sent, in order."""
    for pub in work.pubs:
        yield from _pieces(pub)


def count_pieces(work: Work) -> int:
    """How many that are, without writing them."""
    return sum(_count(pub) for pub in work.pubs)


def outcomes_of(work: Work, results: Sequence[Result]) -> tuple[Outcome, ...]:
    """One outcome for each pub.

    Raises:
        RefusedByProviderError: The results do not fit the work.
    """
    given = iter(results)
    try:
        outcomes = tuple(_outcome(pub, given) for pub in work.pubs)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise _unfit(f"{type(error).__name__}: {error}") from None
    if next(given, None) is not None:
        raise _unfit("it has more results than programs were sent")
    return outcomes


def _unfit(cause: str) -> RefusedByProviderError:
    return RefusedByProviderError("The answer does not fit the programs that were sent.", cause=cause)


# --- Sending ----------------------------------------------------------------------------------------------------------


def _pieces(pub: Pub) -> Iterator[Json]:
    features = features_for(pub.program)
    if features is None:
        yield {
            "format": "qir",
            "base64": base64.b64encode(pub.program.source).decode(),
            "entry_point": pub.program.entry_point,
            "shots": pub.shots,
            "seed": pub.seed,
        }
    elif pub.observables is not None:
        yield from _rotated(pub, features)
    else:
        read, seeds = _Readout(features), _seeds(pub)
        for row in parameter_array(pub):
            angles = features.angles_of_gates(row)
            text = (
                write_dynamic(features, angles) if features.dynamic else write_static(features, angles, read.measured)
            )
            yield _piece(text, None if features.dynamic else read.measured, pub.shots, next(seeds))


def _rotated(pub: Pub, features: Features) -> Iterator[Json]:
    rows, seeds = parameter_array(pub), _seeds(pub)
    found: list[Json] = []

    def note(place: int, group: Group, shots: int) -> Energies:
        measured = _support(group)
        text = write_rotated(features, features.angles_of_gates(rows[place]), group.rotations(), measured)
        found.append(_piece(text, measured, shots, next(seeds)))
        return np.zeros(1), np.array([shots])

    _through(pub, features, note)
    return iter(found)


def _count(pub: Pub) -> int:
    features = features_for(pub.program)
    if features is None or pub.observables is None:
        return pub.parameters.num_sets
    number = 0

    def note(place: int, group: Group, shots: int) -> Energies:  # noqa: ARG001 - counted alone
        nonlocal number
        number += 1
        return np.zeros(1), np.array([shots])

    _through(pub, features, note)
    return number


def _piece(text: str, bits: Sequence[int] | None, shots: int | None, seed: int) -> Json:
    measured = None if bits is None else list(bits)
    return {"format": "openqasm3", "text": text, "bits": measured, "shots": shots, "seed": seed}


def _seeds(pub: Pub) -> Iterator[int]:
    """A seed for each piece, for vendors that take one; those of different pubs share nothing."""
    random = np.random.Generator(np.random.PCG64(pub.seed))
    while True:
        yield int(random.integers(2**63))


# --- Reading ----------------------------------------------------------------------------------------------------------


def _outcome(pub: Pub, given: Iterator[Result]) -> Outcome:
    features = features_for(pub.program)
    if pub.observables is not None and features is not None:
        return _estimated(pub, features, given)
    if features is None:
        counts = [dict(_next(given)["values"])]
        outcomes = "values"
    else:
        read = _Readout(features)
        counts = [read.counts(_next(given)["bits"]) for _ in range(pub.parameters.num_sets)]
        outcomes = "bits"
    shots = {sum(each.values()) for each in counts}
    if len(shots) != 1 or 0 in shots or not all(isinstance(n, int) and n > 0 for each in counts for n in each.values()):
        raise _unfit(f"counts that sum to {sorted(shots)} for {pub.shots} shots")
    sampled = Sampled(pub.parameters.shape, tuple(counts), shots.pop(), outcomes)
    return sampled if features is None else as_returned(pub.program.returns, sampled)


def _estimated(pub: Pub, features: Features, given: Iterator[Result]) -> Estimated:
    def measure(place: int, group: Group, shots: int) -> Energies:  # noqa: ARG001 - their order says which it is
        counts: Mapping[str, int] = _next(given)["bits"]
        if sum(counts.values()) != shots:
            raise _unfit(f"{sum(counts.values())} shots for {shots}")
        measured = _support(group)
        rows = np.zeros((len(counts), max(features.num_qubits, 1)), dtype=np.uint8)
        for row, key in enumerate(counts):
            rows[row, measured] = [int(bit) for bit in reversed(_width(key, len(measured)))]
        energies, _ = bit_energies(group, rows)
        return energies, np.array(list(counts.values()), dtype=np.int64)

    return estimated(pub, _through(pub, features, measure))


def _through(pub: Pub, features: Features, measure: Callable[[int, Group, int], Energies]) -> tuple[Value, ...]:
    """Every value of an estimate, with `measure` called for each group of each parameter set, always in this order."""
    shots = pub.shots
    assert shots is not None
    values, _ = over_observables(
        pub,
        lambda place, observables: [
            sampled_value(
                grouped_on(observable, features.qubits), shots, lambda group, part: measure(place, group, part)
            )
            for observable in observables
        ],
    )
    return values


def _support(group: Group) -> list[int]:
    mask = group.x | group.z
    return [qubit for qubit in range(mask.bit_length()) if mask >> qubit & 1]


def _next(given: Iterator[Result]) -> Result:
    found = next(given, None)
    if found is None:
        raise _unfit("it has fewer results than programs were sent")
    return found


def _width(key: str, bits: int) -> str:
    if len(key) != bits or set(key) - {"0", "1"}:
        raise _unfit(f"the outcome {key!r:.80} has not {bits} bits")
    return key


@dataclass(frozen=True)
class _Readout:
    """Which bits of what a vendor tells are which classical bits of the program."""

    features: Features

    @property
    def measured(self) -> list[int]:
        """For a static circuit, the qubits that are measured, each once; one at least, since vendors want one."""
        return sorted({qubit for qubit, _ in self.features.readout if qubit >= 0}) or [0]

    def counts(self, told: Mapping[str, int]) -> dict[str, int]:
        """Counts with the program's registers, from a vendor's strings."""
        circuit = self.features.circuit
        if self.features.dynamic:
            width, place = circuit.num_clbits, {bit: bit for bit in range(circuit.num_clbits)}
        else:
            column = {qubit: index for index, qubit in enumerate(self.measured)}
            width = len(column)
            place = {clbit: column[qubit] for qubit, clbit in self.features.readout if qubit >= 0}
        counts: dict[str, int] = {}
        for key, number in told.items():
            bits = _width(key, width)[::-1]
            values = ["0"] * circuit.num_clbits
            for clbit, index in place.items():
                values[clbit] = bits[index]
            name = _key(values, circuit.registers)
            counts[name] = counts.get(name, 0) + number
        return counts


def _key(values: Sequence[str], registers: Sequence[Register]) -> str:
    parts = ["".join(reversed(values[each.offset : each.offset + each.size])) for each in registers]
    return " ".join(reversed(parts))
