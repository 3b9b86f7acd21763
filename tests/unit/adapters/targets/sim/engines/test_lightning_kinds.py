"""What a state on a GPU does otherwise than one on a processor, tried on the processor's own bindings."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.engines import lightning, trajectories
from antiphon.adapters.targets.sim.engines.lightning_gpu import DRAWS_THERE_FROM_QUBITS, GpuState
from antiphon.adapters.targets.sim.engines.lightning_state import LightningState, agrees_with_numpy
from antiphon.adapters.targets.sim.engines.tape import tape_of
from antiphon.adapters.targets.sim.reading import features_of
from antiphon.adapters.targets.sim.settings import Settings
from antiphon.adapters.targets.sim.task import Task
from antiphon.domain.circuits import Circuit, Gate, Measure, Register
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.work import Pub
from reference_simulator import PAULIS, expectation
from sim_work import program_of, sets_of


class OnProcessor(GpuState):
    """A GPU's state on the processor's bindings; sums and copies, which those have not, the plain way."""

    forks: ClassVar[int] = 0

    @classmethod
    def bindings(cls) -> Any:
        return LightningState.bindings()

    def copy_from(self, other: Self) -> None:
        type(self).forks += 1
        self.load(other.amplitudes())

    def pauli_sum(self, words: Sequence[str], qubits: Sequence[Sequence[int]], weights: Sequence[float]) -> float:
        state, total = self.amplitudes(), 0.0
        for word, places, weight in zip(words, qubits, weights, strict=True):
            letters = dict(zip(places, word, strict=True))
            matrix: NDArray[Any] = np.eye(1, dtype=np.complex128)
            for qubit in reversed(range(self.num_qubits)):
                matrix = np.kron(matrix, PAULIS[letters.get(qubit, "I")])
            total += weight * float(np.vdot(state, matrix @ state).real)
        return total


def entangled(width: int) -> tuple[Gate, ...]:
    turns = [Gate("ry", (qubit,), (0.4 + 0.2 * qubit,)) for qubit in range(width)]
    return (*turns, *(Gate("cx", (qubit, qubit + 1), ()) for qubit in range(width - 1)), Gate("t", (0,), ()))


def task(circuit: Circuit, observables: tuple[Observable, ...] | None, shots: int | None, settings: Settings) -> Task:
    shape = () if observables is None else (len(observables),)
    pub = Pub(program_of(circuit), sets_of(circuit), shots, 7, observables, shape)
    return Task(f"kinds {circuit!r}", pub, features_of(circuit), np.zeros((1, 0)), settings)


def test_the_self_test_covers_a_kind_that_sums_paulis_itself() -> None:
    assert agrees_with_numpy(OnProcessor)

    class Wrong(OnProcessor):
        def pauli_sum(self, words: Sequence[str], qubits: Sequence[Sequence[int]], weights: Sequence[float]) -> float:
            return super().pauli_sum(words, qubits, weights) + 1e-3

    assert not agrees_with_numpy(Wrong)


def test_an_observable_is_summed_as_words_on_their_qubits() -> None:
    terms = (("XYIZI", 0.5), ("ZZIII", -1.25), ("IIIII", 2.0), ("YIXIY", 0.75))
    circuit = Circuit(5, (), (), entangled(5))
    observables = (Observable(5, terms), Observable(5, (("IIIII", 3.0),)))
    ran = lightning.estimate(task(circuit, observables, None, Settings()), OnProcessor)
    expected = [expectation(circuit, observable, []) for observable in observables]
    assert [each.value for each in ran.values] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("single", [True, False])
def test_shots_drawn_where_the_state_lies_are_outcomes_in_rising_order(single: bool) -> None:
    width, shots = DRAWS_THERE_FROM_QUBITS, 20_000
    tape = tape_of(entangled(width), width, single=single, kind=OnProcessor)
    (row,) = tape.parameters.rows(np.zeros((1, 0)))
    state = OnProcessor(width, single=single)
    state.run(tape.calls, row)
    outcomes, times = state.draw(shots, np.random.default_rng(3))
    again, _ = state.draw(shots, np.random.default_rng(3))
    assert (again == outcomes).all()
    assert (np.diff(outcomes) > 0).all()
    assert times.sum() == shots
    ones = (outcomes[:, None] >> np.arange(width) & 1).T @ times / shots
    exact = [state.probability_of_one(qubit) for qubit in range(width)]
    assert np.abs(ones - exact).max() < 6 * (0.25 / shots) ** 0.5


def test_trajectories_fork_states_of_their_kind() -> None:
    ends = [Measure(qubit, qubit) for qubit in range(8)]
    circuit = Circuit(8, (Register("c", 8, 0),), (), (*entangled(8), *ends))
    work = task(circuit, None, 500, Settings(noise=NoiseModel(depolarizing_1q=0.05, depolarizing_2q=0.05)))
    before = OnProcessor.forks
    ran = trajectories.sample(work, OnProcessor)
    assert OnProcessor.forks > before
    assert ran.counts == trajectories.sample(work).counts
