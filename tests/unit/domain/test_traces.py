from __future__ import annotations

from antiphon.domain.traces import TraceJob, anonymous

JOB = TraceJob(submitted_at=1.0, workspace="lab", user="ada", target="qpu", session="s", planned_s=1.0, run_s=2.0)


def test_names_are_hidden_alike_under_one_salt_and_otherwise_under_another() -> None:
    hidden, again, other = anonymous(JOB, b"1"), anonymous(JOB, b"1"), anonymous(JOB, b"2")
    assert hidden == again
    assert len({hidden.workspace, other.workspace, hidden.user, other.user, hidden.session, other.session}) == 6
    assert not {"lab", "ada", "s"} & {hidden.workspace, hidden.user, hidden.session}
    assert (hidden.target, hidden.run_s) == ("qpu", 2.0)


def test_one_name_in_two_workspaces_is_two_people() -> None:
    elsewhere = TraceJob(submitted_at=1.0, workspace="other", user="ada", target="qpu", planned_s=1.0)
    assert anonymous(JOB, b"1").user != anonymous(elsewhere, b"1").user
    assert anonymous(elsewhere, b"1").session is None


def test_when_it_ended_is_known_if_all_times_are() -> None:
    assert JOB.ended_at is None
    assert (
        TraceJob(submitted_at=1.0, workspace="w", user="u", target="t", planned_s=1.0, run_s=2.0, wait_s=4.0).ended_at
        == 7.0
    )
