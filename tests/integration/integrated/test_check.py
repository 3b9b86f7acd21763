"""A program is checked before it is submitted: by the SDK, on the command line, and by the refusal of a submit."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon import Mitigation, Workspace
from antiphon.domain.programs import Profile
from antiphon.errors import ProgramError, UnsupportedProgramError
from command_line import antiphon

TEXT = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
qubit[2] q;
bit[2] c;
rx(theta) q[0]; cx q[0], q[1];
c[0] = measure q[0];
if (c[0]) x q[1];
c[1] = measure q[1];
"""
NOT_CLIFFORD = TEXT.replace("input float theta;", "").replace("theta", "0.3")


def test_a_check_says_what_the_program_is_and_what_a_device_makes_of_it(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        check = workspace.target("emu.heron").check(TEXT)
        assert (check.profile, check.num_qubits, check.parameters) == (Profile.ADAPTIVE_RI, 2, ("theta",))
        assert check.registers == (("c", 2),)
        assert [need.where for need in check.needs] == ["line 8, column 1: if (c[0]) x q[1];"]
        [verdict] = check.verdicts
        assert verdict.problem is None
        assert verdict.assessment is not None
        assert verdict.assessment.feedforward_s > 0
        assert 0 < verdict.assessment.feedforward_loss < 1 - verdict.assessment.fidelity
        assert workspace.jobs() == []


def test_a_check_finds_the_problem_that_a_submit_meets(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        target = workspace.target("sim.stabilizer")
        [verdict] = target.check(NOT_CLIFFORD).verdicts
        with pytest.raises(UnsupportedProgramError) as caught:
            target.submit(NOT_CLIFFORD, shots=10)
        assert verdict.problem is not None
        assert (verdict.problem.code, verdict.problem.message) == (caught.value.code, caught.value.message)


def test_the_command_line_checks_a_file(tmp_path: Path) -> None:
    file, home = tmp_path / "program.qasm", tmp_path / "home"
    file.write_text(NOT_CLIFFORD)
    alone = antiphon(home, "check", file, "--json")
    assert alone.code == 0
    assert (alone.data["profile"], alone.data["num_qubits"], alone.data["targets"]) == ("Adaptive_RI", 2, [])
    assert alone.data["needs"][0]["where"].startswith("line 8")
    asked = ("--target", "emu.ion", "--target", "sim.stabilizer")
    both = antiphon(home, "check", file, *asked, "--json")
    assert both.code == 1
    ion, stabilizer = both.data["targets"]
    assert ion["runs"]
    assert ion["assessment"]["feedforward_s"] > 0
    assert stabilizer["problem"]["code"] == "gate-not-clifford"
    shown = antiphon(home, "check", file, *asked)
    assert "Adaptive_RI is needed by a branch on measured bits" in shown.out
    assert "sim.stabilizer does not take it" in shown.out


def test_readout_is_not_corrected_in_what_a_program_computed(tmp_path: Path) -> None:
    head = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; output bit p; '
    text = head + "h q[0]; c = measure q; p = c[0] ^ c[1];"
    with Workspace(tmp_path) as workspace:
        target = workspace.target("emu.manila")
        with pytest.raises(ProgramError, match="'readout' cannot be done") as caught:
            target.submit(text, shots=100, mitigation=Mitigation(readout=True))
        assert "returns something else" in caught.value.cause
        assert set(target.submit(text, shots=100, seed=1).result().counts) == {"0", "1"}
