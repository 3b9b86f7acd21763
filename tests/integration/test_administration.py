"""Administration on the command line, on a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.cli.exit_codes import ERROR, NOT_FOUND, OK, QUOTA, USAGE
from command_line import Ran, antiphon
from programs import BELL


def run(home: Path, *arguments: object) -> Ran:
    return antiphon(home, *arguments, "--json")


def test_a_key_is_shown_once_and_listed_until_it_is_revoked(tmp_path: Path) -> None:
    made = run(tmp_path, "keys", "create", "ada", "--role", "submitter", "--expires", "90d")
    assert made.code == OK
    assert made.data["key"].startswith("ant_")
    assert made.data["role"] == "submitter"
    listed = run(tmp_path, "keys", "list")
    assert [key["id"] for key in listed.data] == [made.data["id"]]
    assert made.data["key"] not in listed.out
    assert "key" not in listed.data[0]
    assert antiphon(tmp_path, "keys").out.count(made.data["id"]) == 1

    assert run(tmp_path, "keys", "revoke", made.data["id"]).code == USAGE
    assert [key["live"] for key in run(tmp_path, "keys", "list").data] == [True]
    assert run(tmp_path, "keys", "revoke", made.data["id"][:12], "--yes").data["live"] is False
    assert run(tmp_path, "keys", "list").data == []
    assert [key["live"] for key in run(tmp_path, "keys", "list", "--all").data] == [False]


def test_for_people_the_key_is_all_of_stdout(tmp_path: Path) -> None:
    made = antiphon(tmp_path, "keys", "create", "ada", "--role", "viewer", "--workspace", "team-2")
    assert made.out.strip().startswith("ant_")
    assert len(made.out.split()) == 1
    assert "The workspace team-2 is new." in made.err
    assert [each["name"] for each in run(tmp_path, "workspaces", "list").data] == ["default", "team-2"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["keys", "create", "ada", "--role", "emperor"], USAGE),
        (["keys", "create", "ada", "--role", "viewer", "--expires", "soon"], USAGE),
        (["keys", "create", "ada", "--role", "viewer", "--scope", "keys:write"], ERROR),
        (["keys", "create", "ada", "--role", "viewer", "--workspace", "No Good"], ERROR),
        (["keys", "list", "--workspace", "nowhere"], NOT_FOUND),
        (["keys", "revoke", "key_", "--yes"], NOT_FOUND),
        (["members", "remove", "nobody", "--yes"], NOT_FOUND),
        (["quotas", "set", "shots", "nan"], USAGE),
        (["quotas", "set", "shots", "inf"], ERROR),
        (["quotas", "set", "jobs-in-flight", "5", "--period", "day"], ERROR),
        (["quotas", "set", "shots", "5", "--target", "sim.nowhere"], NOT_FOUND),
        (["quotas", "remove", "quota_", "--yes"], NOT_FOUND),
        (["audit", "--after", "yesterday"], USAGE),
        (["usage", "--days", "0"], USAGE),
        (["usage", "--workspace", "nowhere"], NOT_FOUND),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(tmp_path: Path, arguments: list[str], code: int) -> None:
    refused = antiphon(tmp_path, *arguments)
    assert refused.code == code
    assert refused.out == ""
    assert refused.err


def test_members_come_change_and_go(tmp_path: Path) -> None:
    assert run(tmp_path, "members", "add", "https://issuer#1", "--role", "admin", "--name", "Ada").code == OK
    assert run(tmp_path, "members", "add", "bob@example.org", "--role", "viewer").data["name"] == "bob@example.org"
    refused = antiphon(tmp_path, "members", "remove", "https://issuer#1", "--yes")
    assert (refused.code, "last admin" in refused.err) == (ERROR, True)
    assert "Ada" in antiphon(tmp_path, "members").out
    run(tmp_path, "members", "add", "bob@example.org", "--role", "admin")
    assert run(tmp_path, "members", "remove", "https://issuer#1", "--yes").code == OK
    assert [(each["subject"], each["role"]) for each in run(tmp_path, "members", "list").data] == [
        ("bob@example.org", "admin")
    ]


def test_a_quota_set_here_holds_for_jobs_submitted_here(tmp_path: Path) -> None:
    program = tmp_path / "bell.qasm"
    program.write_text(BELL)
    home = tmp_path / "lab"
    quota = run(home, "quotas", "set", "shots", "25", "--period", "month").data
    submit = ("submit", program, "--target", "sim.auto", "--shots", "20", "--wait")
    assert run(home, *submit).code == OK
    refused = run(home, *submit)
    assert refused.code == QUOTA
    error = json.loads(refused.err.splitlines()[-1])["error"]
    assert (error["code"], error["details"]["remaining"]) == ("quota-exceeded", 5.0)
    assert error["details"]["resets_at"] is not None
    [standing] = run(home, "quotas", "list").data
    assert (standing["used"], standing["held"], standing["remaining"]) == (20.0, 0.0, 5.0)
    assert "shots a month" in antiphon(home, "quotas").out
    assert run(home, "quotas", "remove", quota["id"], "--yes").code == OK
    assert run(home, *submit).code == OK


def test_usage_is_summed_up_by_target_user_and_day(tmp_path: Path) -> None:
    with Workspace(tmp_path, workers=0) as ws:
        for target in ("sim.auto", "sim.stabilizer"):
            ws.target(target).submit(BELL, shots=30).result()
    by_target = run(tmp_path, "usage").data
    assert [(each["key"], each["shots"]) for each in by_target["sums"]] == [("sim.auto", 30), ("sim.stabilizer", 30)]
    assert by_target["total"]["succeeded"] == 2
    [by_user] = run(tmp_path, "usage", "--by", "user").data["sums"]
    [by_day] = run(tmp_path, "usage", "--by", "day", "--days", "1").data["sums"]
    assert by_user["shots"] == by_day["shots"] == 60
    assert "sim.stabilizer" in antiphon(tmp_path, "usage").out
    assert "No jobs" in antiphon(tmp_path / "empty", "usage").out


def test_every_change_is_in_the_audit_log(tmp_path: Path) -> None:
    key = run(tmp_path, "keys", "create", "ada", "--role", "viewer").data
    run(tmp_path, "keys", "revoke", key["id"], "--yes")
    run(tmp_path, "members", "add", "bob", "--role", "viewer")
    run(tmp_path, "members", "remove", "bob", "--yes")
    quota = run(tmp_path, "quotas", "set", "cost", "5").data
    run(tmp_path, "quotas", "remove", quota["id"], "--yes")
    lines = run(tmp_path, "audit").data
    assert [line["action"] for line in lines] == [
        "quota.remove",
        "quota.set",
        "member.remove",
        "member.add",
        "key.revoke",
        "key.create",
        "workspace.create",
    ]
    assert {(line["via"], line["where"], line["outcome"]) for line in lines} == {("local", "local", "ok")}
    assert len(run(tmp_path, "audit", "--action", "key.").data) == 2
    assert run(tmp_path, "audit", "--subject", "bob", "--limit", "1").data[0]["action"] == "member.remove"
    assert run(tmp_path, "audit", "--before", "1d").data == []
    assert len(run(tmp_path, "audit", "--after", "1h", "--who", lines[0]["who"]).data) == 7
    assert run(tmp_path, "audit", "--workspace", "other").data == []
    assert "key.revoke" in antiphon(tmp_path, "audit").out
