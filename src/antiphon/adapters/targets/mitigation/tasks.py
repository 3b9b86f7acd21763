"""What a mitigated pub runs, as what is charged: its gates as submitted, as often as they run, and what is put in.

Gates are those of the program as it was submitted, as they are for a job that is not mitigated, so that the two
compare; a folded gate counts as often as it runs. To them come the gates before measurements (changes of basis, and on
average half of the flips), of twirling (on average three of the four around a gate are not the identity) and of
decoupling. The few Paulis that error cancellation puts in on top are not counted: they come as seldom as an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.adapters.targets.mitigation.folding import folded, reached
from antiphon.adapters.targets.mitigation.ground import Ground, without_last_measurements
from antiphon.adapters.targets.mitigation.instances import Methods
from antiphon.adapters.targets.mitigation.randomising import num_twirled
from antiphon.domain.gate_counts import Gates, Tasks, count_gates
from antiphon.domain.work import Pub

TWIRLING = 3
"""One-qubit gates around each twirled gate, on average."""


@dataclass(frozen=True, slots=True)
class Running:
    """Circuits alike, and what runs of them.

    Attributes:
        factor: Of the noise; None for a calibration.
        circuits: How many.
        shots: Of all of them together, of each parameter set.
        sets: Parameter sets of each.
        rotations: Gates that change the basis, in one of them on average.
        varied: Whether they are twirled.
    """

    factor: float | None
    circuits: int
    shots: int
    sets: int = 1
    rotations: float = 0.0
    varied: bool = True


class Charging:
    """What one run of a circuit of a pub counts.

    Args:
        bits: How many qubits are measured.
    """

    def __init__(self, pub: Pub, ground: Ground, methods: Methods, bits: int) -> None:
        assert pub.program.circuit is not None
        self._gates, self._methods, self._ground, self.bits = count_gates(pub.program), methods, ground, bits
        self._operations = without_last_measurements(pub.program.circuit.operations)
        self._pulses: dict[float, int] = {}
        # The noise of a device is cancelled as what twirling makes of it.
        twirls = methods.twirls_gates or (methods.pec is not None and ground.is_compiled)
        self._twirled = num_twirled(self._operations) if twirls else 0

    def tasks(self, runs: Sequence[Running]) -> tuple[Tasks, ...]:
        """The rows of a bill."""
        return tuple(row for run in runs if run.circuits and run.shots for row in self._rows(run))

    def _rows(self, run: Running) -> Iterator[Tasks]:
        gates = self._gates_of(run)
        each, more = divmod(run.shots, run.circuits)
        for circuits, shots in ((more, each + 1), (run.circuits - more, each)):
            if circuits and shots:
                yield Tasks.of(gates, circuits * run.sets, shots)

    def _gates_of(self, run: Running) -> Gates:
        if run.factor is None:
            return Gates(math.ceil(self.bits / 2), 0, self.bits)
        methods, own = self._methods, self._gates
        one, two, factor = float(own.one_qubit), float(own.two_qubit), 1.0
        if methods.zne is not None:
            factor = reached(self._operations, run.factor, methods.zne.folding)
            two *= factor
            one *= 1.0 if methods.zne.folding == "two-qubit" else factor
        if run.varied:
            one += TWIRLING * self._twirled * factor
        if run.varied and methods.flips_bits:
            one += self.bits / 2
        one += run.rotations + self._pulses_at(run.factor)
        return Gates(math.ceil(one), math.ceil(two), self.bits, own.counting)

    def _pulses_at(self, factor: float) -> int:
        if self._methods.decoupling is None:
            return 0
        found = self._pulses.get(factor)
        if found is None:
            zne = self._methods.zne
            folding = "two-qubit" if zne is None else zne.folding
            operations, _ = folded(self._ground.operations, factor, folding, np.random.default_rng(0))
            found = self._pulses[factor] = self._ground.pulses(operations)
        return found
