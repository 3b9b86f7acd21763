"""What is sent is run by our own front end and simulator, and must be what the program says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets.sim import build_drivers
from antiphon.adapters.targets.vendors.pieces import count_pieces, outcomes_of, pieces_of
from antiphon.domain.gates import GATES
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS, ParameterSets
from antiphon.domain.results import Estimated, Sampled
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.frontends.recognise import to_program
from antiphon.ports.provider import RefusedByProviderError

SIM = build_drivers()["sim.statevector"]
SHOTS = 2_000
HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '


def pub_of(source: str, **given: Any) -> Pub:
    return Pub(to_program(source), given.pop("parameters", NO_PARAMETERS), given.pop("shots", SHOTS), 7, **given)


def work_of(*pubs: Pub, kind: JobKind = JobKind.SAMPLE) -> Work:
    return Work(kind, pubs)


def run(pieces: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a vendor would answer: each text run on its own, its counts in the order of its one register."""
    results = []
    for seed, piece in enumerate(pieces):
        work = work_of(Pub(to_program(piece["text"]), NO_PARAMETERS, piece["shots"], seed))
        (outcome,) = SIM.execute(work, SIM.plan(work)).outcomes
        assert isinstance(outcome, Sampled)
        results.append({"bits": dict(outcome.counts[0])})
    return results


def through(work: Work) -> tuple[Any, ...]:
    pieces = list(pieces_of(work))
    assert len(pieces) == count_pieces(work)
    return outcomes_of(work, run(pieces))


def expected(source: str) -> Mapping[str, float]:
    work = Work(JobKind.SAMPLE, (pub_of(source),), {"exact_probabilities": True})
    (outcome,) = SIM.execute(work, SIM.plan(work)).outcomes
    assert isinstance(outcome, Sampled)
    assert outcome.probabilities is not None
    return outcome.probabilities[0]


def agree(counts: Mapping[str, int], exact: Mapping[str, float]) -> None:
    shots = sum(counts.values())
    assert set(counts) <= {key for key, chance in exact.items() if chance > 1e-12}
    for key, chance in exact.items():
        sigma = math.sqrt(max(chance * (1 - chance), 1e-9) / shots)
        assert abs(counts.get(key, 0) / shots - chance) < 6 * sigma + 1e-9, key


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_means_the_same_when_it_is_sent(name: str) -> None:
    """Between other rotations, so that phases show; through Qiskit, whose name for each gate is ours."""
    qiskit = pytest.importorskip("qiskit")
    kind = GATES[name]
    circuit = qiskit.QuantumCircuit(3, 3)
    for qubit in range(3):
        circuit.u(0.7 + qubit, 0.3, 1.1 * qubit, qubit)
    getattr(circuit, name)(*(0.4 + 0.5 * place for place in range(kind.num_params)), *range(kind.num_qubits))
    for qubit in range(3):
        circuit.u(1.3, 0.9 - qubit, 0.2, qubit)
    circuit.measure(range(3), range(3))
    program = to_program(circuit)
    work = work_of(Pub(program, NO_PARAMETERS, 20_000, 1))
    exact = Work(JobKind.SAMPLE, work.pubs, {"exact_probabilities": True})
    (outcome,) = SIM.execute(exact, SIM.plan(exact)).outcomes
    assert isinstance(outcome, Sampled)
    assert outcome.probabilities is not None
    (sampled,) = through(work)
    agree(sampled.counts[0], outcome.probabilities[0])


def test_registers_and_bits_come_back_as_the_program_names_them() -> None:
    source = HEAD + (
        "qubit[5] q; bit[2] low; bit[3] high; x q[4]; x q[1];"
        "low[1] = measure q[4]; high[0] = measure q[1]; high[2] = measure q[0]; low[0] = measure q[4];"
    )
    (piece,) = pieces_of(work_of(pub_of(source)))
    assert "bit[2] b;" in piece["text"]
    (outcome,) = through(work_of(pub_of(source)))
    assert outcome.counts == ({"001 11": SHOTS},)


def test_a_program_that_only_measures_idle_qubits() -> None:
    (outcome,) = through(work_of(pub_of(HEAD + "qubit[2] q; bit[2] c; c = measure q;")))
    assert outcome.counts == ({"00": SHOTS},)


def test_a_program_that_measures_on_the_way() -> None:
    source = HEAD + (
        "qubit[2] q; bit[3] c; h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } reset q[0]; c[2] = measure q[1];"
    )
    (piece,) = pieces_of(work_of(pub_of(source)))
    assert piece["bits"] is None
    (outcome,) = through(work_of(pub_of(source)))
    assert set(outcome.counts[0]) == {"000", "101"}


def test_a_sweep_is_a_piece_for_each_set() -> None:
    source = HEAD + "input float t; qubit q; bit c; rx(2 * t) q; c = measure q;"
    values = np.array([[0.0], [math.pi / 2]], dtype="<f8")
    pub = pub_of(source, parameters=ParameterSets(("t",), (2,), values.tobytes()))
    (outcome,) = through(work_of(pub, kind=JobKind.SWEEP))
    assert (outcome.shape, outcome.counts) == ((2,), ({"0": SHOTS}, {"1": SHOTS}))


def test_expectation_values_from_the_counts_of_each_basis() -> None:
    source = HEAD + "input float t; qubit[3] q; ry(t) q[0]; cx q[0], q[2];"
    values = np.array([[0.3], [1.1]], dtype="<f8")
    observables = (
        Observable(3, (("IIZ", 0.5), ("XIX", 1.0), ("ZIZ", -0.25), ("YIY", 0.7))),
        Observable(3, (("III", 2.0), ("ZZI", 1.0))),
    )
    pub = pub_of(
        source,
        shots=40_000,
        parameters=ParameterSets(("t",), (2, 1), values.tobytes()),
        observables=observables,
        observables_shape=(2,),
    )
    work = work_of(pub, kind=JobKind.ESTIMATE)
    (found,) = through(work)
    exact_work = work_of(
        Pub(pub.program, pub.parameters, None, 7, pub.observables, pub.observables_shape), kind=JobKind.ESTIMATE
    )
    (exact,) = SIM.execute(exact_work, SIM.plan(exact_work)).outcomes
    assert isinstance(found, Estimated)
    assert isinstance(exact, Estimated)
    assert found.shape == exact.shape == (2, 2)
    for value, error, truth in zip(found.values, found.stderr, exact.values, strict=True):
        assert abs(value - truth) < 6 * error + 1e-9


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{"bits": {"00": SHOTS}}, {"bits": {"00": SHOTS}}],
        [{"bits": {"0": SHOTS}}],
        [{"bits": {"02": SHOTS}}],
        [{"bits": {}}],
        [{"bits": {"00": -1}}],
        [{"values": {"(0, 0)": SHOTS}}],
        [{"bits": None}],
        ["00"],
    ],
)
def test_an_answer_that_does_not_fit_is_refused(results: Any) -> None:
    bell = HEAD + "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
    with pytest.raises(RefusedByProviderError):
        outcomes_of(work_of(pub_of(bell)), results)


def test_a_device_that_lost_shots_says_so_in_the_counts() -> None:
    bell = HEAD + "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
    (outcome,) = outcomes_of(work_of(pub_of(bell)), [{"bits": {"00": 5, "11": 4}}])
    assert isinstance(outcome, Sampled)
    assert outcome.shots == 9
