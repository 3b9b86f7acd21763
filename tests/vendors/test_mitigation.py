"""Mitigation where the circuits run at a vendor's: what was sent is what ran, or it is refused."""

from __future__ import annotations

import pytest

from antiphon import JobStatus
from antiphon.errors import LimitError, ProgramError
from vendor_labs import PATIENCE_S, Lab

pytestmark = [pytest.mark.timeout(240)]

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
# Through the same gates three times, so that there is noise worth extrapolating; the state is a Bell state again.
BELL = HEAD + "qubit[2] q; h q[0]; " + "cx q[0], q[1]; " * 9
MEASURED = BELL + "bit[2] c = measure q;"


@pytest.mark.xdist_group("vendor-ibm")
def test_values_come_nearer_on_ibms_noise(ibm: Lab) -> None:
    target = ibm.ws.target("ibm.fake_manila")
    job = target.estimate(
        BELL, {"ZZ": 1.0, "XX": 1.0}, shots=20_000, seed=4, mitigation={"readout": True, "zne": [1, 3]}
    ).wait(PATIENCE_S)
    result = job.result()
    raw, mitigated = abs(result.raw.values - 2.0), abs(result.values - 2.0)
    # Nine gates: if a compiler took folded ones away, both noise factors would have the raw value's errors.
    assert raw > 0.15
    assert mitigated < raw / 2
    assert result.mitigation["overhead"]["shots"] <= 20_000
    assert job.record["provenance"]["mitigation"]["overhead"]["circuits"] == len(result.mitigation["circuits"])


@pytest.mark.xdist_group("vendor-ibm")
def test_counts_and_batches_on_ibms_noise(ibm: Lab) -> None:
    target = ibm.ws.target("ibm.fake_manila")
    ones = HEAD + "qubit[3] q; x q[1]; bit[2] c; c[0] = measure q[1]; c[1] = measure q[2];"
    batch = target.submit_batch([MEASURED, ones], shots=4_000, mitigation={"readout": True}).wait(PATIENCE_S)
    result = batch.result()
    assert sum(result.counts[1].values()) == 4_000
    before, after = (each[1]["01"] for each in (result.raw.probabilities, result.probabilities))
    assert before < 0.98 < after
    assert [item.status for item in batch.items] == [JobStatus.SUCCEEDED] * 2


@pytest.mark.xdist_group("vendor-braket")
def test_on_brakets_simulator_nothing_is_to_be_had_and_nothing_lost(braket: Lab) -> None:
    target = braket.ws.target("braket.braket_sv")
    result = target.estimate(BELL, {"ZZ": 1.0, "XX": 1.0}, shots=4_000, mitigation={"zne": [1, 3]}).wait(PATIENCE_S)
    assert result.result().values == pytest.approx(2.0, abs=0.05)
    assert result.result().mitigation["verdict"] != "helps"


@pytest.mark.xdist_group("vendor-ibm")
def test_what_cannot_be_done_there_says_why_before_it_is_queued(ibm: Lab) -> None:
    target = ibm.ws.target("ibm.fake_manila")
    far = HEAD + "qubit[3] q; cx q[0], q[1]; cx q[0], q[2];"
    for mitigation, why in (
        ({"pec": True}, "not known here"),
        ({"dynamical_decoupling": True}, "vendor's compiler alone"),
    ):
        with pytest.raises(ProgramError, match=why):
            target.estimate(BELL, {"ZZ": 1.0}, shots=1_000, mitigation=mitigation)
    with pytest.raises(ProgramError, match="would move them"):
        target.estimate(far, {"ZZZ": 1.0}, shots=1_000, mitigation={"readout": True})
    with pytest.raises(ProgramError, match="do not run as they were sent"):
        target.estimate(BELL, {"ZZ": 1.0}, shots=1_000, mitigation={"zne": [1, 3]}, optimization_level=3)
    with pytest.raises(LimitError, match="shared on the way"):
        target.estimate(BELL, {"ZZ": 1.0}, precision=0.1)
    with pytest.raises(LimitError, match="programs"):
        target.estimate(BELL, {"ZZ": 1.0}, shots=100_000, mitigation={"twirling": 400})
