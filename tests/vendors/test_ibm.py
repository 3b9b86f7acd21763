"""qiskit-ibm-runtime in its local mode, in a process of its own."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit

from antiphon import JobStatus
from antiphon.client.kit.check import Outcome
from antiphon.domain.calibrations import Calibration
from antiphon.errors import LimitError
from vendor_labs import PATIENCE_S, Lab, process_of, states_of, wait_until

pytestmark = [pytest.mark.xdist_group("vendor-ibm"), pytest.mark.timeout(240)]

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
REGISTERS = HEAD + (
    "qubit[4] q; bit[2] low; bit[2] high; x q[0]; cx q[0], q[2]; x q[3]; "
    "low[0] = measure q[0]; low[1] = measure q[3]; high[1] = measure q[2];"
)
TARGET = "ibm.fake_manila"
NOISY = 0.6
"""A few percent for each two-qubit gate and each readout of that device."""


def test_the_target_is_the_backend(ibm: Lab) -> None:
    info = ibm.ws.target(TARGET).info
    assert (info.kind, info.limits.max_qubits, info.profile.value) == ("emulator", 5, "Adaptive_RI")
    assert info.device is not None
    assert info.device.native_gates == ("cx", "id", "rz", "sx", "x")
    assert (0, 1) in info.device.coupling
    assert (0, 4) not in info.device.coupling


def test_counts_have_the_programs_registers(ibm: Lab) -> None:
    job = ibm.ws.target(TARGET).submit(REGISTERS, shots=500).wait(PATIENCE_S)
    counts = job.result().counts
    assert sum(counts.values()) == 500
    assert counts["10 11"] > NOISY * 500
    # low[0..1], high[1]; high[0] was never measured.
    assert all(key[1] == "0" for key in counts)


def test_a_result_keeps_the_calibration(ibm: Lab) -> None:
    job = ibm.ws.target(TARGET).submit(REGISTERS, shots=10).wait(PATIENCE_S)
    kept = job.record["provenance"]["calibration"]
    told = process_of(ibm, TARGET).call("calibration", device="fake_manila")["calibration"]
    calibration = Calibration.from_json(told)
    assert calibration.digest == kept["digest"]
    assert len(calibration.qubits) == 5
    assert all(1e-6 < each.t2 <= 2 * each.t1 < 1e-2 for each in calibration.qubits)
    assert all(0 < each.readout_p01 < 0.5 and 0 < each.readout_p10 < 0.5 for each in calibration.qubits)
    assert all(0 < figures.error < 0.1 and figures.seconds > 1e-8 for figures in calibration.gates["cx"].values())
    assert (0, 1) in calibration.gates["cx"]
    assert 1e-7 < calibration.measure_s < 1e-4


def test_a_batch_of_qiskit_circuits(ibm: Lab) -> None:
    circuits = []
    for state in range(3):
        circuit = QuantumCircuit(2)
        for qubit in range(2):
            if state >> qubit & 1:
                circuit.x(qubit)
        circuit.measure_all()
        circuits.append(circuit)
    job = ibm.ws.target(TARGET).submit_batch(circuits, shots=200).wait(PATIENCE_S)
    for state, counts in enumerate(job.result().counts):
        assert sum(counts.values()) == 200
        assert max(counts, key=counts.__getitem__) == f"{state:02b}"


def test_programs_that_branch_on_what_they_measured(ibm: Lab) -> None:
    source = HEAD + (
        "qubit[2] q; bit[2] c; x q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } else { h q[1]; } c[1] = measure q[1];"
    )
    counts = ibm.ws.target(TARGET).submit(source, shots=300).wait(PATIENCE_S).result().counts
    assert counts["11"] > NOISY * 300


def test_expectation_values_are_those_of_a_noisy_device(ibm: Lab) -> None:
    job = ibm.ws.target(TARGET).estimate(
        HEAD + "qubit[2] q; h q[0]; cx q[0], q[1];", {"XX": 0.5, "ZZ": 0.5}, shots=2_000
    )
    result = job.wait(PATIENCE_S).result()
    assert NOISY < result.values < 1.0


def test_what_a_program_would_meet_is_told_before_it_is_sent(ibm: Lab) -> None:
    """A branch: how long the qubits wait for it, by the published times."""
    target = ibm.ws.target(TARGET)
    entangled = "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c[0] = measure q[0];"
    source = HEAD + entangled + " if (c[0]) { x q[1]; } c[1] = measure q[1];"
    [verdict] = target.check(source).verdicts
    assert verdict.assessment is not None
    assert verdict.assessment.feedforward_s > 1e-6
    assert 0 < verdict.assessment.feedforward_loss < 0.2
    assert 0.7 < verdict.assessment.fidelity < 1 - verdict.assessment.feedforward_loss
    assert set(verdict.assessment.gates) <= {"rz", "sx", "x", "cx"}
    assert target.calibrations()[0].digest == verdict.assessment.calibration
    assert target.drift(source).fidelity_now == pytest.approx(verdict.assessment.fidelity)


def test_best_weighs_it(ibm: Lab) -> None:
    job = ibm.ws.target("best").submit(REGISTERS, shots=50, candidates=[TARGET, "emu.manila"], prefer="fidelity")
    told = {each["target"]: each for each in job.wait(PATIENCE_S).record["provenance"]["choice"]["candidates"]}
    assert 0.5 < told[TARGET]["fidelity"] < 1
    assert 0.5 < told["emu.manila"]["fidelity"] < 1


def test_too_wide_a_program_is_refused_before_it_is_queued(ibm: Lab) -> None:
    with pytest.raises(LimitError):
        ibm.ws.target(TARGET).submit(HEAD + "qubit[6] q; bit[6] c; h q; c = measure q;", shots=10)


def test_a_level_that_the_transpiler_has_not_fails_the_job_with_its_reason(ibm: Lab) -> None:
    job = ibm.ws.target(TARGET).submit(REGISTERS, shots=10, optimization_level=9)
    wait_until(lambda: job.status.is_final)
    assert job.status is JobStatus.FAILED
    assert "optimization level" in job.record["error"]["cause"].lower()
    assert states_of(job) == ["refused"]


@pytest.mark.soak
def test_the_contract_kit(ibm: Lab) -> None:
    report = ibm.ws.target(TARGET).verify()
    assert report.is_good, str(report)
    assert report.count(Outcome.PASSED) >= 13
