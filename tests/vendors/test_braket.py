"""Amazon Braket's SDK with its local simulator, in a process of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from antiphon import JobStatus
from antiphon.client.kit.check import Outcome
from antiphon.errors import LimitError, UnsupportedProgramError
from vendor_labs import PATIENCE_S, Lab, log_of, states_of, wait_until

pytestmark = [pytest.mark.xdist_group("vendor-braket"), pytest.mark.timeout(240)]

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
REGISTERS = HEAD + (
    "qubit[4] q; bit[2] low; bit[2] high; h q[0]; cx q[0], q[2]; x q[3]; "
    "low[0] = measure q[0]; low[1] = measure q[3]; high[1] = measure q[2];"
)
TARGET = "braket.braket_sv"
HEAVY = HEAD + "qubit[22] q; bit[22] c; " + "h q; cx q[0], q[1]; rx(0.3) q; " * 100 + "c = measure q;"


def test_counts_have_the_programs_registers(braket: Lab) -> None:
    job = braket.ws.target(TARGET).submit(REGISTERS, shots=400).wait(PATIENCE_S)
    assert set(job.result().counts) == {"00 10", "10 11"}
    assert sum(job.result().counts.values()) == 400
    assert job.record["provenance"]["engine_version"].startswith("amazon-braket-")


@pytest.mark.parametrize(
    "gates",
    [
        "sx q[0]; sdg q[0]; tdg q[0]; p(0.3) q[0]; ry(0.4) q[0]; id q[1];",
        "ry(0.8) q[0]; cp(0.9) q[0], q[1]; crx(0.7) q[0], q[1]; cry(0.6) q[1], q[0]; crz(0.5) q[0], q[1]; h q;",
        "h q; ccx q[0], q[1], q[2]; cswap q[2], q[0], q[1]; swap q[0], q[2]; cy q[0], q[1]; cz q[1], q[2]; h q;",
        "ry(0.3) q; cu(0.1, 0.2, 0.3, 0.4) q[0], q[1]; ch q[1], q[2]; U(0.4, 0.5, 0.6) q[0]; h q;",
    ],
    ids=["one qubit", "two qubits", "three qubits", "decomposed"],
)
def test_gates_that_braket_calls_by_other_names(braket: Lab, gates: str) -> None:
    source = HEAD + f"qubit[3] q; bit[3] c; {gates} c = measure q;"
    shots = 4_000
    exact = braket.ws.target("sim.auto").submit(source, shots=10, exact_probabilities=True).wait(PATIENCE_S)
    found = braket.ws.target(TARGET).submit(source, shots=shots).wait(PATIENCE_S).result().counts
    for key, chance in exact.result().exact_probabilities.items():
        sigma = math.sqrt(max(chance * (1 - chance), 1e-6) / shots)
        assert abs(found.get(key, 0) / shots - chance) < 6 * sigma, key


def test_a_sweep_and_a_batch(braket: Lab) -> None:
    target = braket.ws.target(TARGET)
    sweep = target.sweep(
        HEAD + "input float t; qubit q; bit c; rx(t) q; c = measure q;",
        parameters=[{"t": 0.0}, {"t": np.pi}],
        shots=30,
    )
    assert sweep.wait(PATIENCE_S).result().counts == [{"0": 30}, {"1": 30}]
    batch = target.submit_batch([HEAD + f"qubit q; bit c; {x} c = measure q;" for x in ("", "x q;")], shots=10)
    assert batch.wait(PATIENCE_S).result().counts == [{"0": 10}, {"1": 10}]
    assert states_of(batch) == ["ended"]


def test_expectation_values(braket: Lab) -> None:
    ghz = HEAD + "qubit[3] q; h q[0]; cx q[0], q[1]; cx q[1], q[2];"
    job = braket.ws.target(TARGET).estimate(ghz, {"XXX": 1.0, "YYX": -0.5, "ZZI": 0.5}, shots=3_000)
    result = job.wait(PATIENCE_S).result()
    assert abs(result.values - 2.0) < 6 * result.stderr + 1e-9


def test_what_braket_cannot_be_sent_is_refused_before_it_is_queued(braket: Lab) -> None:
    target = braket.ws.target(TARGET)
    with pytest.raises(UnsupportedProgramError):
        target.submit(HEAD + "qubit q; bit c; h q; c = measure q; if (c) { x q; } c = measure q;", shots=10)
    with pytest.raises(LimitError):
        target.submit(HEAD + "qubit[30] q; bit[30] c; h q; c = measure q;", shots=10)
    with pytest.raises(LimitError):
        target.estimate(HEAD + "qubit q; h q;", {"X": 1.0})
    with pytest.raises(LimitError):
        target.sweep(
            HEAD + "input float t; qubit q; bit c; rx(t) q; c = measure q;",
            parameters=[{"t": float(place)} for place in range(101)],
            shots=1,
        )


def test_cancelled_and_killed(braket: Lab) -> None:
    """The vendor's process runs one at a time, and what it had is gone with it: that is said, and not run again."""
    target = braket.ws.target(TARGET)
    running, waiting, lost = (target.submit(HEAVY, shots=10) for _ in range(3))
    wait_until(lambda: states_of(running) == states_of(waiting) == states_of(lost) == ["accepted"])
    waiting.cancel()
    running.cancel()
    wait_until(lambda: running.status.is_final and waiting.status.is_final)
    assert running.status is waiting.status is JobStatus.CANCELLED
    braket.kill()
    wait_until(lambda: lost.status.is_final)
    assert lost.status is JobStatus.FAILED
    assert lost.record["error"]["code"] == "provider-lost-it"
    again = target.submit(REGISTERS, shots=10).wait(PATIENCE_S)
    assert log_of(again) == ["submitted", "claimed", "succeeded"]


def test_the_contract_kit(braket: Lab) -> None:
    report = braket.ws.target(TARGET).verify()
    assert report.is_good, str(report)
    assert report.count(Outcome.PASSED) >= 13
