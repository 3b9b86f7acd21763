"""Outcomes as Qiskit's containers: bit arrays for primitives, hexadecimal counts for backends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin, PubResult, SamplerPubResult
from qiskit.result.models import ExperimentResult, ExperimentResultData

from antiphon.client.intervals import of_values
from antiphon.client.shots import distinct_bits, shot_order
from antiphon.domain.results import Counts, Estimated, Sampled

LEVEL = 0.95
LOOSE_BIT = re.compile(r"_bit\d+")
"""Registers that stand for classical bits in no register: primitives do not report those."""


@dataclass(frozen=True, slots=True)
class PubFacts:
    """What a result needs to know of the pub it belongs to.

    Attributes:
        registers: Name and size of each classical register, in order of declaration.
        precision: The standard error asked for, of an estimate.
        circuit_metadata: The circuit's own metadata.
    """

    registers: tuple[tuple[str, int], ...]
    precision: float | None = None
    circuit_metadata: Mapping[str, Any] | None = None


def sampler_pub_result(outcome: Sampled, pub: PubFacts, seed: Sequence[int]) -> Any:
    """Bit arrays of shape `outcome.shape`, one for each register; a shot has the same place in all of them."""
    names = [(name, size) for name, size in pub.registers if not LOOSE_BIT.fullmatch(name)]
    packed: dict[str, list[Any]] = {name: [] for name, _ in names}
    for index, counts in enumerate(outcome.counts):
        bits = distinct_bits(list(counts), pub.registers)
        order = shot_order(counts.values(), (*seed, index))
        for name, _ in names:
            packed[name].append(_packed(bits[name])[order])
    fields = {
        name: BitArray(np.stack(packed[name]).reshape(*outcome.shape, outcome.shots, -(-size // 8)), size)
        for name, size in names
    }
    metadata = {"shots": outcome.shots, "circuit_metadata": dict(pub.circuit_metadata or {})}
    return SamplerPubResult(DataBin(**fields, shape=outcome.shape), metadata=metadata)


def estimator_pub_result(outcome: Estimated, pub: PubFacts) -> Any:
    """Expectation values `evs` and standard errors `stds`, arrays of the broadcast shape.

    The metadata have "confidence_interval", the ends at `LEVEL` in the same shape, for values that come from shots, and
    what mitigation did, as `Result.mitigation` has it, under "mitigation".
    """
    data = DataBin(
        evs=np.array(outcome.values, dtype=float).reshape(outcome.shape),
        stds=np.array(outcome.stderr, dtype=float).reshape(outcome.shape),
        shape=outcome.shape,
    )
    metadata = {
        "target_precision": pub.precision,
        "shots": outcome.shots,
        "circuit_metadata": dict(pub.circuit_metadata or {}),
    }
    if outcome.shots is not None:
        low, high = (end.reshape(outcome.shape) for end in of_values(outcome, LEVEL))
        metadata["confidence_interval"] = {"level": LEVEL, "low": low, "high": high}
    if outcome.details is not None and "mitigation" in outcome.details:
        metadata["mitigation"] = outcome.details["mitigation"]
    return PubResult(data, metadata=metadata)


@dataclass(frozen=True, slots=True)
class CircuitFacts:
    """What a result of `backend.run` needs to know of the circuit it belongs to.

    Attributes:
        registers: Name and size of each register of the program, in order.
        positions: For each register, the circuit's own index of each of its bits.
        creg_sizes: Runs of bits in the order of the circuit's own indices, which split a printed outcome.
        metadata: The circuit's own metadata.
    """

    name: str
    num_qubits: int
    registers: tuple[tuple[str, int], ...]
    positions: tuple[tuple[int, ...], ...]
    creg_sizes: tuple[tuple[str, int], ...]
    metadata: Mapping[str, Any] | None = None

    @classmethod
    def in_order(cls, name: str, num_qubits: int, registers: Sequence[tuple[str, int]]) -> CircuitFacts:
        """Of a circuit whose bits stand register after register."""
        positions: list[tuple[int, ...]] = []
        offset = 0
        for _, size in registers:
            positions.append(tuple(range(offset, offset + size)))
            offset += size
        return cls(name, num_qubits, tuple(registers), tuple(positions), tuple(registers))

    @classmethod
    def of(cls, circuit: Any, registers: Sequence[tuple[str, int]]) -> CircuitFacts:
        """Of a circuit and the registers that its program has."""
        index = {bit: position for position, bit in enumerate(circuit.clbits)}
        positions = [tuple(index[bit] for bit in register) for register in circuit.cregs]
        owner = {position: name for (name, _), own in zip(registers, positions, strict=False) for position in own}
        loose = [position for position in range(len(circuit.clbits)) if position not in owner]
        positions += [(position,) for position in loose]
        for (name, _), (position,) in zip(registers[len(circuit.cregs) :], [(each,) for each in loose], strict=True):
            owner[position] = name
        runs: list[tuple[str, int]] = []
        for position in range(len(circuit.clbits)):
            if runs and runs[-1][0] == owner[position]:
                runs[-1] = (owner[position], runs[-1][1] + 1)
            else:
                runs.append((owner[position], 1))
        return cls(
            circuit.name, circuit.num_qubits, tuple(registers), tuple(positions), tuple(runs), circuit.metadata or {}
        )


def experiment_result(
    counts: Counts, shots: int, circuit: CircuitFacts, *, memory: bool, seed: int, order: Sequence[int]
) -> Any:
    """One entry of a Qiskit `Result`, with the list of shots when `memory` is asked for."""
    bits = distinct_bits(list(counts), circuit.registers)
    numbers = [0] * len(counts)
    for (name, _), positions in zip(circuit.registers, circuit.positions, strict=True):
        for column, position in enumerate(positions):
            for row in np.flatnonzero(bits[name][:, column]):
                numbers[row] |= 1 << position
    outcomes = [hex(number) for number in numbers]
    data: dict[str, Any] = {"counts": dict(zip(outcomes, counts.values(), strict=True))}
    if memory:
        data["memory"] = [outcomes[row] for row in shot_order(counts.values(), order)]
    return ExperimentResult(
        shots=shots,
        success=True,
        data=ExperimentResultData(**data),
        status="DONE",
        seed=seed,
        header=_header(circuit),
    )


def failed_experiment(reason: str, shots: int, circuit: CircuitFacts, *, seed: int) -> Any:
    """The entry of a circuit that has no result, saying why."""
    return ExperimentResult(
        shots=shots,
        success=False,
        data=ExperimentResultData(),
        status=f"ERROR: {reason}",
        seed=seed,
        header=_header(circuit),
    )


def _header(circuit: CircuitFacts) -> dict[str, Any]:
    return {
        "name": circuit.name,
        "n_qubits": circuit.num_qubits,
        "creg_sizes": [list(entry) for entry in circuit.creg_sizes],
        "memory_slots": sum(size for _, size in circuit.creg_sizes),
        "metadata": dict(circuit.metadata or {}),
    }


def _packed(bits: Any) -> Any:
    """Rows of bits (column i is bit i) as bytes, most significant first, padded on the left."""
    rows, size = bits.shape
    padded = np.zeros((rows, -(-size // 8) * 8), dtype=np.uint8)
    if size:
        padded[:, -size:] = bits[:, ::-1]
    return np.packbits(padded, axis=-1)
