"""What sim.auto chooses for each class of program, and the way on when a package is missing."""

import math
from collections.abc import Callable

import pytest

from antiphon.adapters.targets.sim import build_drivers, choose
from antiphon.adapters.targets.sim.engines import lightning_state
from antiphon.domain.circuits import Bit, Circuit, Gate, If, Measure, Not, Reset, While
from antiphon.domain.observables import Observable
from antiphon.domain.work import Plan, Work
from antiphon.errors import LimitError, MissingExtraError
from sim_work import circuit_of, estimating, repeat_until_success, sampling, teleportation

NOISE = {"depolarizing_1q": 0.001, "depolarizing_2q": 0.01, "readout_p01": 0.02}


def plan(work: Work, target: str = "sim.auto") -> Plan:
    return build_drivers()[target].plan(work)


def ladder(num_qubits: int, *, clifford: bool = False, layers: int = 1) -> Circuit:
    gates = []
    for _ in range(layers):
        gates += [
            Gate("h" if clifford else "t", (q,)) if clifford else Gate("ry", (q,), (0.3,)) for q in range(num_qubits)
        ]
        gates += [Gate("cx", (q, q + 1)) for q in range(num_qubits - 1)]
    return circuit_of(num_qubits, num_qubits, *gates, *(Measure(q, q) for q in range(num_qubits)))


def zs(num_qubits: int) -> Observable:
    return Observable(num_qubits, (("Z" * num_qubits, 1.0),))


@pytest.mark.parametrize(
    ("work", "engine"),
    [
        (sampling(ladder(4)), "lightning"),
        (sampling(ladder(20)), "lightning"),
        (sampling(ladder(4, clifford=True)), "lightning"),
        (sampling(ladder(20, layers=40)), "lightning"),
        (sampling(ladder(21)), "qsim"),
        (sampling(ladder(24, layers=40)), "qsim"),
        (estimating(ladder(22), zs(22)), "lightning"),
        (sampling(ladder(100, clifford=True)), "stim"),
        (sampling(ladder(50)), "aer-mps"),
        (sampling(teleportation()), "branching"),
        (sampling(repeat_until_success()), "branching"),
        (estimating(ladder(12), zs(12)), "lightning"),
        (estimating(ladder(50), zs(50)), "aer-mps"),
        (estimating(ladder(60, clifford=True), zs(60)), "stim"),
        (sampling(ladder(30, clifford=True), noise=NOISE), "stim"),
        (sampling(ladder(5), noise=NOISE), "aer-density-matrix"),
        (sampling(ladder(10), noise=NOISE), "trajectories"),
        (estimating(ladder(9), zs(9), noise=NOISE), "aer-density-matrix"),
        (estimating(ladder(9), zs(9), shots=1000, noise=NOISE), "trajectories"),
        (sampling(teleportation(), noise=NOISE), "noisy-branching"),
    ],
)
def test_the_engine_of_each_class(work: Work, engine: str) -> None:
    found = plan(work)
    assert found.engine == (engine,)
    assert len(found.reason[0]) > 10
    assert found.cost > 0


def test_mid_circuit_clifford_without_branches_stays_on_stim() -> None:
    circuit = circuit_of(40, 2, *(Gate("h", (q,)) for q in range(40)), Measure(0, 0), Gate("h", (0,)), Measure(0, 1))
    assert plan(sampling(circuit)).engine == ("stim",)


def test_wide_clifford_with_branches_goes_to_the_stabilizer_of_aer() -> None:
    circuit = circuit_of(60, 2, *(Gate("h", (q,)) for q in range(60)), Measure(0, 0), If(Bit(0), (Gate("x", (1,)),)))
    assert plan(sampling(circuit)).engine == ("aer-stabilizer",)


def test_too_wide_noise_is_refused() -> None:
    with pytest.raises(LimitError, match="21 qubits"):
        plan(sampling(ladder(21), noise=NOISE))
    with pytest.raises(LimitError, match="shots"):
        raise_with_next_step(estimating(ladder(14), zs(14), noise=NOISE))


def raise_with_next_step(work: Work) -> None:
    try:
        plan(work)
    except LimitError as error:
        raise LimitError(error.next_step) from error


def test_entanglement_bounds_matrix_product_states() -> None:
    wide = [Gate("ry", (q,), (0.3,)) for q in range(40)]
    far = [Gate("cx", (q, q + 20)) for q in range(20)]
    circuit = circuit_of(40, 40, *wide, *far, Measure(0, 0))
    with pytest.raises(LimitError, match="entangled"):
        plan(sampling(circuit), "sim.mps")
    assert "asked for" in plan(sampling(circuit, max_bond_dimension=16), "sim.mps").reason[0]


def seldom_done() -> Circuit:
    """A loop of some ten thousand turns."""
    turn = (Reset(0), Gate("ry", (0,), (0.02,)), Measure(0, 0))
    return circuit_of(1, 1, While(Not(Bit(0)), turn))


@pytest.mark.parametrize(
    ("work", "safe"),
    [
        (sampling(ladder(4)), True),
        (sampling(ladder(100, clifford=True)), True),
        (sampling(teleportation()), True),
        (sampling(repeat_until_success()), True),
        (sampling(seldom_done()), False),
        (sampling(ladder(50)), False),
        (sampling(ladder(26)), False),
        (sampling(ladder(5), noise=NOISE), False),
    ],
)
def test_only_what_cannot_hang_runs_inline(work: Work, safe: bool) -> None:
    assert plan(work).safe_inline is safe


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    gone: set[str] = set()
    real = choose._installed
    monkeypatch.setattr(choose, "_installed", lambda package: package not in gone and real(package))

    def remove(*packages: str) -> None:
        gone.update(packages)
        if "pennylane_lightning" in packages:
            monkeypatch.setattr(lightning_state, "unusable_because", lambda: "pennylane-lightning is not installed")

    return remove


def test_the_next_engine_runs_when_a_package_is_missing(missing: Callable[..., None]) -> None:
    missing("pennylane_lightning", "stim")
    found = plan(sampling(ladder(4)))
    assert found.engine == ("aer-statevector",)
    assert "not installed" in found.reason[0]
    assert plan(sampling(teleportation())).engine == ("aer-statevector",)
    assert plan(sampling(ladder(60, clifford=True)), "sim.stabilizer").engine == ("aer-stabilizer",)


def test_no_engine_at_all_names_the_extra(missing: Callable[..., None]) -> None:
    missing("pennylane_lightning", "qiskit_aer")
    with pytest.raises(MissingExtraError) as caught:
        plan(sampling(ladder(4)))
    assert "antiphon[sims]" in caught.value.next_step


def test_parameters_at_clifford_angles_count_as_clifford_only_where_width_asks_for_it() -> None:
    from antiphon.domain.circuits import Affine

    gates = [Gate("rx", (q,), (Affine(0.0, ((0, 1.0),)),)) for q in range(50)]
    far = [Gate("cx", (q, q + 25)) for q in range(25)]
    circuit = Circuit(50, circuit_of(50, 50).registers, ("θ",), (*gates, *far, *far, *far, Measure(0, 0)))
    assert plan(sampling(circuit, [math.pi / 2])).engine == ("stim",)
    with pytest.raises(LimitError):
        plan(sampling(circuit, [0.3]))
