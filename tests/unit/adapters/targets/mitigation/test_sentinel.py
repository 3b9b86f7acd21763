import numpy as np
import pytest

from antiphon.adapters.targets.mitigation.sentinel import Sentinel, make_sentinel
from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.circuits import Barrier, Gate, Operation, Unitary
from antiphon.domain.observables import Observable
from sim_work import circuit_of, estimated, estimating

ANSATZ: tuple[Operation, ...] = (
    Gate("ry", (0,), (0.3,)),
    Gate("ry", (1,), (2.9,)),
    Gate("cx", (0, 1)),
    Barrier((0, 1, 2)),
    Gate("u", (2,), (1.4, 0.2, 0.1)),
    Gate("cp", (1, 2), (2.8,)),
    Gate("rzz", (0, 2), (1.2,)),
    Gate("t", (1,)),
    Gate("crx", (0, 1), (0.4,)),
)
OBSERVABLE = Observable(3, (("III", 0.5), ("IZZ", 1.0), ("XIX", 0.7), ("ZII", -0.4)))
PLACES = {0: 0, 1: 1, 2: 2}


def test_its_exact_values_are_those_of_a_simulator() -> None:
    found = make_sentinel(ANSATZ, [OBSERVABLE, OBSERVABLE], PLACES, np.random.default_rng(1))
    assert isinstance(found, Sentinel)
    circuit = circuit_of(3, 0, *found.operations)
    driver = build_drivers()["sim.statevector"]
    work = estimating(circuit, OBSERVABLE)
    exact = estimated(driver.execute(work, driver.plan(work))).values[0]
    np.testing.assert_allclose(found.exact, exact - 0.5, atol=1e-9)
    assert abs(found.exact[0]) > 0.3


def test_gates_and_their_places_stay() -> None:
    found = make_sentinel(ANSATZ, [OBSERVABLE], PLACES, np.random.default_rng(1))
    assert isinstance(found, Sentinel)
    assert [getattr(each, "qubits", None) for each in found.operations] == [each.qubits for each in ANSATZ]  # type: ignore[union-attr]
    names = [each.name for each in found.operations if isinstance(each, Gate)]
    assert names == ["ry", "ry", "cx", "u", "cp", "rzz", "s", "cx"]


def test_qubits_may_be_elsewhere() -> None:
    moved = (Gate("x", (4,)), Gate("h", (2,)))
    found = make_sentinel(moved, [Observable(2, (("IZ", 1.0), ("XI", 2.0)))], {0: 4, 1: 2}, np.random.default_rng(1))
    assert isinstance(found, Sentinel)
    np.testing.assert_allclose(found.exact, [1.0])


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ((Unitary((1, 0, 0, 1j), (0,)),), "explicit unitary"),
        ((Gate("ccx", (0, 1, 2)),), "ccx"),
        ((Gate("h", (0,)),), "zero in every"),
    ],
)
def test_where_there_is_none_it_says_why(operations: tuple[Operation, ...], why: str) -> None:
    found = make_sentinel(operations, [Observable(1, (("Z", 1.0),))], PLACES, np.random.default_rng(1))
    assert isinstance(found, str)
    assert why in found
