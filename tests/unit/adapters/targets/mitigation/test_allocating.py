from typing import Any

import pytest

from antiphon.domain.circuits import Gate, Measure
from antiphon.domain.observables import Observable
from antiphon.errors import LimitError
from mitigated_work import ANSATZ, BOTH, ENERGY, SIM, exact_value, run
from sim_work import circuit_of, estimated, estimating, sampling


def test_shots_by_variance_go_where_they_count() -> None:
    """Z is certain and X is not: nearly all shots go to X, and the error is smaller."""
    circuit = circuit_of(2, 0, Gate("rz", (0,), (0.3,)), Gate("x", (1,)))
    observable = Observable(2, (("IX", 1.0), ("ZI", 1.0), ("XI", 0.2), ("IZ", 0.1)))
    found = estimated(run(SIM, estimating(circuit, observable, shots=20_000, allocation="variance")))
    plain = estimated(run(SIM, estimating(circuit, observable, shots=20_000)))
    assert found.shots == 20_000
    assert found.stderr[0] < plain.stderr[0]
    assert found.details is not None
    told = found.details["allocation"]
    pilot, rest = told["rounds"][0]
    assert pilot["shots"] + rest["shots"] == 20_000
    assert abs(found.values[0] - exact_value(circuit, observable)) < 5 * found.stderr[0]


@pytest.mark.parametrize("mitigation", [None, {"readout": True, "zne": [1, 3]}])
def test_it_stops_at_the_precision_asked_for(mitigation: dict[str, Any] | None) -> None:
    options: dict[str, Any] = {"allocation": {"precision": 0.02}, "noise": BOTH.to_json()}
    if mitigation is not None:
        options["mitigation"] = mitigation
    found = estimated(run(SIM, estimating(ANSATZ, ENERGY, shots=1_000_000, **options)))
    assert found.stderr[0] <= 0.02
    assert found.stderr[0] > 0.012, "and not far beyond"
    assert found.shots is not None
    assert found.shots < 500_000
    assert found.details is not None
    assert found.details["allocation"]["reached"]


def test_the_ceiling_holds_and_it_is_said_that_the_precision_was_not_reached() -> None:
    work = estimating(ANSATZ, ENERGY, shots=1000, allocation={"precision": 1e-4})
    found = estimated(run(SIM, work))
    assert found.shots == 1000
    assert found.details is not None
    assert not found.details["allocation"]["reached"]


def test_allocation_is_for_estimates_with_shots() -> None:
    circuit = circuit_of(1, 1, Measure(0, 0))
    with pytest.raises(LimitError, match="samples counts"):
        SIM.plan(sampling(circuit, allocation="variance"))
    with pytest.raises(LimitError, match="Exact values"):
        SIM.plan(estimating(ANSATZ, ENERGY, allocation="variance"))
