"""One Antiphon as the provider of another, through Microsoft's own client in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from qdk import qsharp

from antiphon import JobStatus
from antiphon.client.kit.check import Outcome
from antiphon.errors import UnsupportedProgramError
from antiphon.ports.provider import TransientProviderError
from command_line import antiphon
from real_server import RealServer, real_server
from vendor_labs import PATIENCE_S, Lab, azure_section, environment_of, lab, states_of, wait_until

pytestmark = [pytest.mark.xdist_group("vendor-azure"), pytest.mark.timeout(240)]

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
REGISTERS = HEAD + (
    "qubit[4] q; bit[2] low; bit[2] high; h q[0]; cx q[0], q[2]; x q[3]; "
    "low[0] = measure q[0]; low[1] = measure q[3]; high[1] = measure q[2];"
)


def jobs_there(server: RealServer) -> int:
    return len(antiphon(server.home, "jobs", "list", "--json", "--limit", "500").data)


def test_what_azure_tells_of_a_target_is_what_the_other_antiphon_says(azure: Lab) -> None:
    info = azure.ws.target("azure.sim.statevector").info
    assert (info.provider, info.kind, info.status) == ("azure", "simulator", "Available")
    assert info.profile.value == "Adaptive_RIF"
    assert info.limits.max_qubits > 20


def test_counts_have_the_programs_registers(azure: Lab) -> None:
    job = azure.ws.target("azure.sim.auto").submit(REGISTERS, shots=400).wait(PATIENCE_S)
    assert job.status is JobStatus.SUCCEEDED
    assert set(job.result().counts) == {"00 10", "10 11"}
    assert sum(job.result().counts.values()) == 400
    assert states_of(job) == ["ended"]
    assert job.record["provenance"]["engine_version"].startswith("azure-quantum ")


def test_a_batch_is_a_job_for_each_program(azure: Lab, server: RealServer) -> None:
    before = jobs_there(server)
    programs = [HEAD + f"qubit q; bit c; {'x q;' * turns} c = measure q;" for turns in (1, 2, 3)]
    job = azure.ws.target("azure.sim.auto").submit_batch(programs, shots=20).wait(PATIENCE_S)
    assert job.result().counts == [{"1": 20}, {"0": 20}, {"1": 20}]
    assert jobs_there(server) == before + 3


def test_expectation_values(azure: Lab) -> None:
    ghz = HEAD + "qubit[3] q; h q[0]; cx q[0], q[1]; cx q[1], q[2];"
    job = azure.ws.target("azure.sim.auto").estimate(ghz, {"XXX": 1.0, "ZZI": 0.5, "IIZ": 3.0}, shots=2_000)
    result = job.wait(PATIENCE_S).result()
    assert abs(result.values - 1.5) < 6 * result.stderr
    assert result.stderr > 0


def test_programs_that_branch_on_what_they_measured(azure: Lab) -> None:
    teleport = HEAD + (
        "qubit[3] q; bit[2] m; bit r; x q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0];"
        "m[0] = measure q[0]; m[1] = measure q[1]; if (m[1]) { x q[2]; } if (m[0]) { z q[2]; } r = measure q[2];"
    )
    job = azure.ws.target("azure.sim.auto").submit(teleport, shots=100).wait(PATIENCE_S)
    assert {key.split(" ")[0] for key in job.result().counts} == {"1"}


def test_q_sharp_that_returns_values(azure: Lab) -> None:
    qsharp.init(target_profile=qsharp.TargetProfile.Adaptive_RI)
    qsharp.eval(
        "operation Walk() : (Int, Result) { use q = Qubit(); mutable ones = 0; "
        "for _ in 1..3 { H(q); if MResetZ(q) == One { set ones += 1; } } X(q); (ones, MResetZ(q)) }"
    )
    program = qsharp.compile("Walk()")
    here = azure.ws.target("sim.auto").submit(program, shots=300).wait(PATIENCE_S).result().counts
    there = azure.ws.target("azure.sim.auto").submit(program, shots=300).wait(PATIENCE_S).result().counts
    assert set(there) == set(here)
    assert sum(there.values()) == 300


def test_a_program_that_cannot_be_compiled_for_the_target_fails_with_the_reason(azure: Lab, server: RealServer) -> None:
    """A bit that is set and never measured: Microsoft's compiler has no way to tell it."""
    before = jobs_there(server)
    source = HEAD + "qubit q; bit[2] c; h q; c[0] = measure q; if (c[0]) { x q; } c[1] = true;"
    job = azure.ws.target("azure.sim.auto").submit(source, shots=10)
    wait_until(lambda: job.status.is_final)
    assert job.status is JobStatus.FAILED
    assert "compiled" in job.record["error"]["cause"]
    assert states_of(job) == ["refused"]
    assert jobs_there(server) == before


def test_what_cannot_be_sent_is_refused_before_it_is_queued(azure: Lab) -> None:
    with pytest.raises(UnsupportedProgramError, match="delay"):
        azure.ws.target("azure.sim.auto").submit(
            HEAD + "qubit q; bit c; h q; delay[1us] q; h q; c = measure q;", shots=10
        )
    with pytest.raises(UnsupportedProgramError, match="option"):
        azure.ws.target("azure.sim.auto").submit(REGISTERS, shots=10, noise={"depolarizing_1q": 0.1})


def test_a_wrong_key_is_told_and_stands_nowhere(server: RealServer, tmp_path: Path) -> None:
    section = azure_section(tmp_path, server.url, "ak_wrong-and-secret")
    with pytest.raises(Exception, match="azure refused it") as refused, lab(tmp_path, "azure", section):
        pass
    assert "ak_wrong" not in str(refused.value)
    assert "ak_wrong" not in (tmp_path / "providers" / "azure" / "stderr.log").read_text()


def test_a_server_that_is_away_is_asked_later(tmp_path: Path) -> None:
    environment_of("azure")
    with (
        pytest.raises(TransientProviderError),
        lab(tmp_path, "azure", azure_section(tmp_path, "http://127.0.0.1:1", "k")),
    ):
        pass


def test_cancel_and_costs(tmp_path: Path) -> None:
    """On a server that takes nothing from its queue, a job waits until it is cancelled."""
    environment_of("azure")
    with real_server(tmp_path / "server", "--azure", "--inline-seconds", "0", workers=0) as held:
        section = azure_section(tmp_path / "lab", held.url, held.key, '["sim.auto"]')
        with lab(tmp_path / "lab", "azure", section) as opened:
            job = opened.ws.target("azure.sim.auto").submit(REGISTERS, shots=10)
            wait_until(lambda: states_of(job) == ["accepted"])
            job.cancel()
            wait_until(lambda: job.status.is_final)
            assert job.status is JobStatus.CANCELLED
            (there,) = antiphon(held.home, "jobs", "list", "--json").data
            assert there["status"] == "Cancelled"


@pytest.mark.soak
def test_the_contract_kit(azure: Lab) -> None:
    report = azure.ws.target("azure.sim.auto").verify()
    assert report.is_good, str(report)
    assert report.count(Outcome.PASSED) >= 13
