import json
from typing import Any

import pytest

from antiphon.adapters.targets import emu
from antiphon.adapters.targets.mitigation import mitigating
from antiphon.domain.circuits import Gate, Measure
from antiphon.domain.device_noise import DeviceNoise
from antiphon.errors import MissingExtraError
from antiphon.ports.target_driver import TargetDriver
from mitigated_work import ANSATZ, ENERGY, MANILA, READOUT, SIM, RecordingDevice, estimate, exact_value, run, told_of
from sim_work import circuit_of, estimated, estimating, sampling


def device() -> tuple[RecordingDevice, TargetDriver]:
    inner = RecordingDevice(emu.build_drivers()["emu.manila"])
    return inner, mitigating(inner)


def test_what_is_folded_is_what_runs() -> None:
    """Three times the native two-qubit gates, on the same physical qubits, no compiler after it."""
    inner, driver = device()
    run(driver, estimating(ANSATZ, ENERGY, shots=4000, mitigation={"zne": [1, 3], "sentinel": False}))
    ((work, plan),) = inner.ran
    assert inner.info.device is not None
    pairs: dict[int, set[tuple[int, ...]]] = {}
    for pub, made in zip(work.pubs, plan.compiled, strict=True):
        assert made.circuit is pub.program.circuit
        two = [gate.qubits for gate in made.circuit.walk() if isinstance(gate, Gate) and len(gate.qubits) == 2]
        assert {gate.name for gate in made.circuit.walk() if isinstance(gate, Gate)} <= set(
            inner.info.device.native_gates
        )
        pairs.setdefault(len(two), set()).update(two)
    few, many = sorted(pairs)
    assert many == 3 * few
    assert pairs[few] == pairs[many]


def test_every_method_on_a_device_reduces_its_error() -> None:
    exact = exact_value()
    for mitigation in ({"readout": True, "zne": [1, 3]}, {"readout": True, "twirling": 4, "zne": [1, 3]}):
        found = estimate(mitigation, None, driver=MANILA, shots=100_000)
        told = told_of(found)
        before, after = abs(told["raw"]["values"][0] - exact), abs(found.values[0] - exact)
        assert after < 0.5 * before + 3 * found.stderr[0]
        assert told["verdict"] == "helps"


def test_errors_are_cancelled_with_the_noise_of_the_calibration() -> None:
    found = estimate({"readout": True, "pec": 60}, None, driver=MANILA, shots=100_000)
    told = told_of(found)
    assert told["gamma"] > 1.05
    before, after = abs(told["raw"]["values"][0] - exact_value()), abs(found.values[0] - exact_value())
    assert after < 0.6 * before + 3 * found.stderr[0]


@pytest.mark.parametrize("sequence", ["XX", "XY4"])
def test_decoupling_fills_the_waiting_and_keeps_the_value(sequence: str) -> None:
    """Waiting has no memory in this noise, so decoupling can only cost; the value must stay that of the program."""
    inner, driver = device()
    options: dict[str, Any] = {"mitigation": {"dynamical_decoupling": sequence, "readout": True, "sentinel": False}}
    found = estimated(run(driver, estimating(ANSATZ, ENERGY, shots=100_000, **options)))
    plain = estimate({"readout": True, "sentinel": False}, None, driver=MANILA, shots=100_000)
    assert abs(found.values[0] - plain.values[0]) < 0.1
    ((work, _),) = inner.ran
    pulses = max(sum(isinstance(op, Gate) and op.name == "x" for op in pub.program.circuit.walk()) for pub in work.pubs)  # type: ignore[union-attr]
    assert pulses >= 2
    noise = DeviceNoise(MANILA.calibration(1e12))  # type: ignore[attr-defined]
    for pub in work.pubs:
        assert pub.program.circuit is not None
        for operation in pub.program.circuit.operations:
            noise.after(operation)  # every gate is native where it stands


def test_counts_on_a_device_read_the_right_bits() -> None:
    circuit = circuit_of(3, 3, Gate("x", (0,)), Gate("cx", (0, 2)), *(Measure(q, q) for q in range(3)))
    for mitigation in ({"readout": True}, {"readout": True, "twirling": 4, "dynamical_decoupling": "XX"}):
        (found,) = run(MANILA, sampling(circuit, shots=4000, mitigation=mitigation)).outcomes
        corrected = told_of(found)["probabilities"][0]
        assert max(corrected, key=lambda key: corrected[key]) == "101"
        assert corrected["101"] > max(0.9, found.counts[0]["101"] / 4000)  # type: ignore[union-attr]


def test_a_plan_says_what_it_will_cost() -> None:
    work = estimating(ANSATZ, ENERGY, shots=4000, mitigation={"zne": [1, 3], "readout": True})
    plan = SIM.plan(work)
    plain = SIM.plan(estimating(ANSATZ, ENERGY, shots=4000))
    assert plan.cost > plain.cost
    assert plan.details["circuits"] == 10
    assert "zne" in plan.reason[0]
    assert json.loads(json.dumps(plan.to_json()))


def test_many_circuits_go_to_a_device_in_as_many_calls_as_it_needs() -> None:
    inner, driver = device()
    most = inner.info.limits.max_programs
    estimated(run(driver, estimating(ANSATZ, ENERGY, shots=20_000, mitigation={"pec": 200, "sentinel": False})))
    assert next(len(work.pubs) for work, _ in inner.ran) == most
    assert sum(len(work.pubs) for work, _ in inner.ran) > most


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "stim", None)
    with pytest.raises(MissingExtraError, match="stim"):
        estimate({"readout": True}, READOUT, shots=1000)
