"""iqm-client with its own fake backends, in a process of its own. Its SDK takes ten seconds to import."""

from __future__ import annotations

import pytest

from antiphon import JobStatus
from antiphon.client.kit.check import Outcome
from antiphon.errors import LimitError, UnsupportedProgramError
from vendor_labs import PATIENCE_S, Lab, wait_until

pytestmark = [pytest.mark.xdist_group("vendor-iqm"), pytest.mark.timeout(240)]

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
REGISTERS = HEAD + (
    "qubit[4] q; bit[2] low; bit[2] high; x q[0]; cx q[0], q[2]; x q[3]; "
    "low[0] = measure q[0]; low[1] = measure q[3]; high[1] = measure q[2];"
)
GHZ = HEAD + "qubit[3] q; h q[0]; cx q[0], q[1]; cx q[1], q[2];"
TARGET, STAR = "iqm.fake_adonis", "iqm.fake_deneb"
NOISY = 0.6
"""A few percent for each two-qubit gate and each readout of that device."""


def test_the_targets_are_the_backends(iqm: Lab) -> None:
    info = iqm.ws.target(TARGET).info
    assert (info.kind, info.limits.max_qubits, info.profile.value) == ("emulator", 5, "Base")
    assert info.device is not None
    assert info.device.native_gates == ("r", "cz", "id")
    assert (0, 2) in info.device.coupling
    assert (0, 1) not in info.device.coupling
    assert iqm.ws.target(STAR).info.limits.max_qubits == 6


def test_counts_have_the_programs_registers(iqm: Lab) -> None:
    job = iqm.ws.target(TARGET).submit(REGISTERS, shots=500).wait(PATIENCE_S)
    counts = job.result().counts
    assert sum(counts.values()) == 500
    assert counts["10 11"] > NOISY * 500
    # low[0..1], high[1]; high[0] was never measured.
    assert all(key[1] == "0" for key in counts)
    assert "iqm-client 36" in job.record["provenance"]["engine_version"]


def test_qubits_that_meet_in_a_resonator(iqm: Lab) -> None:
    target = iqm.ws.target(STAR)
    counts = target.submit(REGISTERS, shots=300).wait(PATIENCE_S).result().counts
    assert counts["10 11"] > NOISY * 300
    with pytest.raises(LimitError, match="calibration"):
        target.calibrations()


def test_a_batch_with_different_shots_of_each(iqm: Lab) -> None:
    target = iqm.ws.target(TARGET)
    programs = [HEAD + f"qubit q; bit c; {body} c = measure q;" for body in ("", "x q;")]
    job = target.submit_batch(programs, shots=100).wait(PATIENCE_S)
    first, second = job.result().counts
    assert first["0"] > 90
    assert second["1"] > 90


def test_expectation_values_are_those_of_a_noisy_device(iqm: Lab) -> None:
    result = iqm.ws.target(TARGET).estimate(GHZ, {"XXX": 0.5, "ZZI": 0.5}, shots=1_000).wait(PATIENCE_S).result()
    assert NOISY < result.values < 1.0


def test_what_a_program_would_meet_is_what_it_meets(iqm: Lab) -> None:
    """The expected fidelity, of a program whose one outcome is known: the rest of the shots saw an error."""
    target = iqm.ws.target(TARGET)
    gates = "x q[0]; cx q[0], q[1]; cx q[1], q[2]; cx q[0], q[1]; cx q[2], q[1];"
    measured = HEAD + f"qubit[3] q; bit[3] c; {gates} c = measure q;"
    assessment = target.estimate_resources(measured).on[TARGET].assessment
    assert assessment is not None
    assert assessment.gates["cz"] >= 3
    assert set(assessment.layout) <= set(range(5))
    assert len(assessment.layout) == 3
    found = target.submit(measured, shots=2_000).wait(PATIENCE_S).result().counts["111"] / 2_000
    # Half of the errors of a depolarised pair leave the outcome as it is.
    assert assessment.fidelity - 0.05 < found < 1 - (1 - assessment.fidelity) / 3
    [calibration] = target.calibrations()
    assert calibration.digest == assessment.calibration
    assert calibration.gates["cz"][0, 2].error == pytest.approx(0.029, abs=0.001)
    assert "the same" in target.drift(measured).verdict


def test_what_iqm_cannot_be_sent_is_refused_before_it_is_queued(iqm: Lab) -> None:
    target = iqm.ws.target(TARGET)
    with pytest.raises(UnsupportedProgramError):
        target.submit(HEAD + "qubit q; bit c; h q; c = measure q; if (c) { x q; } c = measure q;", shots=10)
    with pytest.raises(LimitError):
        target.submit(HEAD + "qubit[6] q; bit[6] c; h q; c = measure q;", shots=10)


def test_a_level_that_the_transpiler_has_not_fails_the_job_with_its_reason(iqm: Lab) -> None:
    job = iqm.ws.target(TARGET).submit(REGISTERS, shots=10, optimization_level=9)
    wait_until(lambda: job.status.is_final)
    assert job.status is JobStatus.FAILED
    assert "optimization level 9" in job.record["error"]["cause"]
    # Once its process has started, which on a busy machine takes longer than a send waits.
    assert job.record["submissions"][-1]["error"]["code"] == "provider-refused"


@pytest.mark.soak
def test_the_contract_kit(iqm: Lab) -> None:
    report = iqm.ws.target(TARGET).verify()
    assert report.is_good, str(report)
    assert report.count(Outcome.PASSED) >= 12
