"""qiskit-ionq in a process of its own, against what stands in for IonQ's service and simulates what it is sent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from antiphon import JobStatus
from antiphon.client.kit.check import Outcome
from antiphon.domain.calibrations import Calibration
from antiphon.errors import LimitError, UnsupportedProgramError
from antiphon.ports.provider import TransientProviderError
from ionq_service import COST, KEY, IonqService
from vendor_labs import PATIENCE_S, Lab, environment_of, ionq_section, lab, log_of, process_of, states_of, wait_until

pytestmark = [pytest.mark.xdist_group("vendor-ionq"), pytest.mark.timeout(240)]

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
REGISTERS = HEAD + (
    "qubit[4] q; bit[2] low; bit[2] high; h q[0]; cx q[0], q[2]; x q[3]; "
    "low[0] = measure q[0]; low[1] = measure q[3]; high[1] = measure q[2];"
)
SIMULATOR, QPU = "ionq.simulator", "ionq.qpu.forte-1"


@pytest.fixture(autouse=True)
def _as_new(ionq_service: IonqService) -> Iterator[None]:
    yield
    ionq_service.stage, ionq_service.faults = None, []


def test_devices_are_what_the_service_tells(ionq: Lab) -> None:
    infos = {target.name: target.info for target in ionq.ws.targets() if target.name.startswith("ionq.")}
    assert set(infos) == {SIMULATOR, QPU, "ionq.qpu.aria-1"}
    forte = infos[QPU]
    assert (forte.kind, forte.limits.max_qubits, forte.status) == ("qpu", 36, "Available")
    assert infos["ionq.qpu.aria-1"].status == "Unavailable"
    assert infos[SIMULATOR].kind == "simulator"


def test_counts_have_the_programs_registers(ionq: Lab) -> None:
    job = ionq.ws.target(SIMULATOR).submit(REGISTERS, shots=400).wait(PATIENCE_S)
    assert set(job.result().counts) == {"00 10", "10 11"}
    assert sum(job.result().counts.values()) == 400
    assert job.record["provenance"]["engine_version"].startswith("qiskit ")
    assert states_of(job) == ["ended"]


@pytest.mark.parametrize(
    "gates",
    [
        "sx q[0]; h q[0]; tdg q[0]; inv @ sx q[0]; p(0.3) q[0]; ry(0.4) q[0]; sdg q[1]; id q[1]; h q[0];",
        "ry(0.8) q[0]; cp(0.9) q[0], q[1]; crx(0.7) q[0], q[1]; cry(0.6) q[1], q[0]; crz(0.5) q[0], q[1]; h q;",
        "h q; ccx q[0], q[1], q[2]; cswap q[2], q[0], q[1]; swap q[0], q[2]; cy q[0], q[1]; cz q[1], q[2]; h q;",
    ],
    ids=["one qubit", "two qubits", "three qubits"],
)
def test_gates_as_ionq_means_them(ionq: Lab, gates: str) -> None:
    source = HEAD + f"qubit[3] q; bit[3] c; {gates} c = measure q;"
    shots = 4_000
    exact = ionq.ws.target("sim.auto").submit(source, shots=10, exact_probabilities=True).wait(PATIENCE_S)
    found = ionq.ws.target(SIMULATOR).submit(source, shots=shots).wait(PATIENCE_S).result().counts
    for key, chance in exact.result().exact_probabilities.items():
        sigma = math.sqrt(max(chance * (1 - chance), 1e-6) / shots)
        assert abs(found.get(key, 0) / shots - chance) < 6 * sigma, key


def test_a_seed_decides(ionq: Lab) -> None:
    target = ionq.ws.target(SIMULATOR)
    jobs = [target.submit(REGISTERS, shots=300, seed=seed).wait(PATIENCE_S) for seed in (4, 4, 5)]
    first, again, other = (job.result().counts for job in jobs)
    assert first == again
    assert first != other


def test_a_noise_model(ionq: Lab) -> None:
    source = HEAD + "qubit[3] q; bit[3] c; x q[0]; cx q[0], q[1]; cx q[1], q[2]; cx q[0], q[1]; c = measure q;"
    job = ionq.ws.target(SIMULATOR).submit(source, shots=2_000, noise_model="forte-1").wait(PATIENCE_S)
    counts = job.result().counts
    assert 0.8 * 2_000 < counts["101"] < 2_000
    refused = ionq.ws.target(SIMULATOR).submit(source, shots=10, noise_model="of a machine that is not")
    wait_until(lambda: refused.status.is_final)
    assert refused.status is JobStatus.FAILED
    assert "no noise model" in refused.record["error"]["cause"]
    with pytest.raises(UnsupportedProgramError, match="option"):
        ionq.ws.target(QPU).submit(source, shots=10, noise_model="ideal")


def test_programs_with_the_same_shots_are_one_job_there(ionq: Lab, ionq_service: IonqService) -> None:
    before = ionq_service.submitted
    programs = [HEAD + f"qubit[2] q; bit[2] c; {body} c = measure q;" for body in ("", "x q[0];", "x q[1];")]
    job = ionq.ws.target(SIMULATOR).submit_batch(programs, shots=10).wait(PATIENCE_S)
    assert job.result().counts == [{"00": 10}, {"01": 10}, {"10": 10}]
    assert ionq_service.submitted == before + 1


def test_expectation_values_whose_groups_have_different_shots(ionq: Lab, ionq_service: IonqService) -> None:
    before = ionq_service.submitted
    ghz = HEAD + "qubit[3] q; h q[0]; cx q[0], q[1]; cx q[1], q[2];"
    job = ionq.ws.target(SIMULATOR).estimate(ghz, {"XXX": 1.0, "ZZI": 0.1, "IIZ": 3.0}, shots=3_000)
    result = job.wait(PATIENCE_S).result()
    assert abs(result.values - 1.1) < 6 * result.stderr
    assert ionq_service.submitted == before + 2


def test_what_was_half_sent_is_completed(ionq: Lab, ionq_service: IonqService) -> None:
    """The second of two jobs is answered with 502, and was not taken: nobody knows, so the listing is asked."""
    before = ionq_service.submitted
    ionq_service.faults = [(0, True), (502, False)]
    ghz = HEAD + "qubit[2] q; h q[0]; cx q[0], q[1];"
    job = ionq.ws.target(SIMULATOR).estimate(ghz, {"XX": 1.0, "IZ": 3.0}, shots=1_000).wait(PATIENCE_S)
    assert "in doubt" in log_of(job)
    assert job.status is JobStatus.SUCCEEDED
    assert ionq_service.submitted == before + 2


def test_a_sweep(ionq: Lab) -> None:
    source = HEAD + "input float t; qubit q; bit c; rx(t) q; c = measure q;"
    job = ionq.ws.target(SIMULATOR).sweep(source, parameters=[{"t": 0.0}, {"t": np.pi}], shots=30)
    assert job.wait(PATIENCE_S).result().counts == [{"0": 30}, {"1": 30}]


@pytest.mark.parametrize("status", [500, 502])
def test_an_answer_that_says_nothing_is_not_sent_again(ionq: Lab, ionq_service: IonqService, status: int) -> None:
    """IonQ's client would send after 502 five times, and five jobs would run."""
    before = ionq_service.submitted
    ionq_service.faults = [(status, True)]
    job = ionq.ws.target(SIMULATOR).submit(REGISTERS, shots=20).wait(PATIENCE_S)
    assert job.status is JobStatus.SUCCEEDED
    assert log_of(job) == ["submitted", "claimed", "in doubt", "resolved", "succeeded"]
    assert ionq_service.submitted == before + 1


def test_busy_is_tried_again_and_no_is_no(ionq: Lab, ionq_service: IonqService) -> None:
    before = ionq_service.submitted
    ionq_service.faults = [(429, False)]
    job = ionq.ws.target(SIMULATOR).submit(REGISTERS, shots=20).wait(PATIENCE_S)
    assert job.status is JobStatus.SUCCEEDED
    assert "in doubt" not in log_of(job)
    ionq_service.faults = [(402, False)]
    refused = ionq.ws.target(SIMULATOR).submit(REGISTERS, shots=20)
    wait_until(lambda: refused.status.is_final)
    assert (refused.status, states_of(refused)) == (JobStatus.FAILED, ["refused"])
    assert ionq_service.submitted == before + 1


def test_it_waits_it_runs_and_it_fails(ionq: Lab, ionq_service: IonqService) -> None:
    process = process_of(ionq, SIMULATOR)
    ionq_service.stage = "ready"
    job = ionq.ws.target(SIMULATOR).submit(REGISTERS, shots=20)
    wait_until(lambda: states_of(job) == ["accepted"])
    there = job.record["submissions"][0]["provider_id"]
    assert process.call("look", job=there)["state"] == "queued"
    ionq_service.stage = "started"
    assert process.call("look", job=there)["state"] == "running"
    ionq_service.fail()
    wait_until(lambda: job.status.is_final)
    assert job.status is JobStatus.FAILED
    assert "no credit" in job.record["error"]["cause"]


def test_cancel(ionq: Lab, ionq_service: IonqService) -> None:
    ionq_service.stage = "ready"
    job = ionq.ws.target(SIMULATOR).submit(REGISTERS, shots=20)
    wait_until(lambda: states_of(job) == ["accepted"])
    job.cancel()
    wait_until(lambda: job.status.is_final)
    assert job.status is JobStatus.CANCELLED


def test_a_device_has_noise_a_calibration_and_a_price(ionq: Lab) -> None:
    job = ionq.ws.target(QPU).submit(REGISTERS, shots=500, debiasing=False).wait(PATIENCE_S)
    counts = job.result().counts
    assert sum(counts.values()) == 500
    assert counts["00 10"] + counts["10 11"] > 450
    told = process_of(ionq, QPU).call("calibration", device="qpu.forte-1")["calibration"]
    calibration = Calibration.from_json(told)
    assert calibration.digest == job.record["provenance"]["calibration"]["digest"]
    assert len(calibration.qubits) == 36
    assert calibration.gates["zz"][3, 1].error == pytest.approx(0.007)
    assert calibration.gates["gpi2"][0,].seconds == 1.3e-4
    assert calibration.qubits[0].readout_p01 == pytest.approx(0.005)
    [line] = job.record["cost"]
    assert (line["amount"], line["currency"]) == (COST["cost"]["value"], "USD")  # type: ignore[index]


def test_what_ionq_cannot_be_sent_is_refused_before_it_is_queued(ionq: Lab) -> None:
    target = ionq.ws.target(SIMULATOR)
    with pytest.raises(UnsupportedProgramError):
        target.submit(HEAD + "qubit q; bit c; h q; c = measure q; if (c) { x q; } c = measure q;", shots=10)
    with pytest.raises(LimitError):
        target.submit(HEAD + "qubit[30] q; bit[30] c; h q; c = measure q;", shots=10)
    with pytest.raises(LimitError):
        ionq.ws.target(QPU).submit(REGISTERS, shots=10_001)


def test_a_wrong_key_is_told_and_stands_nowhere(ionq_service: IonqService, tmp_path: Path) -> None:
    section = ionq_section(tmp_path, ionq_service.url, "a-wrong-and-secret-key")
    with pytest.raises(Exception, match="ionq refused it") as refused, lab(tmp_path, "ionq", section):
        pass
    assert "a-wrong" not in str(refused.value)
    assert "a-wrong" not in (tmp_path / "providers" / "ionq" / "stderr.log").read_text()


def test_a_service_that_is_away_is_asked_later(tmp_path: Path) -> None:
    environment_of("ionq")
    with (
        pytest.raises(TransientProviderError, match="cannot take it now"),
        lab(tmp_path, "ionq", ionq_section(tmp_path, "http://127.0.0.1:1/v0.4", KEY)),
    ):
        pass


@pytest.mark.soak
def test_the_contract_kit(ionq: Lab) -> None:
    report = ionq.ws.target(SIMULATOR).verify()
    assert report.is_good, str(report)
    assert report.count(Outcome.PASSED) >= 13
