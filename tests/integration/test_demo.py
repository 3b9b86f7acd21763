from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.cli.demo_run import latest_run
from command_line import antiphon, finish, start


def check_nothing_lost_or_doubled(home: Path, result: dict[str, Any]) -> None:
    """Every evaluation is one job with one result, under a key of its own, and none is missing."""
    with Workspace(home, dispatch=False) as workspace:
        jobs = workspace.jobs(limit=10_000, oldest_first=True)
        assert len(jobs) == result["evaluations"] == len(result["energies"])
        assert len({job.facts.key for job in jobs}) == len(jobs)
        assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
        numbers = [int(job.metadata["evaluation"]) for job in jobs]
        assert sorted(numbers) == list(range(len(jobs)))
        values = {int(job.metadata["evaluation"]): job.result().values for job in jobs}
        assert [values[number] for number in range(len(jobs))] == result["energies"]
        for job in jobs:
            assert [event["event"] for event in job.events].count("succeeded") == 1


def wait_for_jobs(home: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (home / "antiphon.db").exists():
            with Workspace(home, dispatch=False) as workspace:
                if len(workspace.jobs(limit=count)) >= count:
                    return
        time.sleep(0.05)
    raise AssertionError(f"there were never {count} jobs")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    home = tmp_path_factory.mktemp("demo")
    ran = finish(start(home, "demo", "--json"))
    assert ran.code == 0, ran.err
    return home, json.loads(ran.out), ran.err


def test_the_demo_keeps_its_contract(finished: tuple[Path, dict[str, Any], str]) -> None:
    home, result, err = finished
    assert err == ""
    assert abs(result["energy"] - result["exact_energy"]) <= 1.6e-3
    assert result["energy"] >= result["exact_energy"] - 1e-9
    assert result["energies"][0] > result["exact_energy"] + 0.5
    assert 20 < result["evaluations"] < 150
    assert result["session_id"].startswith("ses_")
    assert Path(result["plot"]).read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path(result["plot_svg"]).read_text(encoding="utf-8")
    check_nothing_lost_or_doubled(home, result)
    session = antiphon(home, "sessions", "show", result["session_id"], "--json").data
    assert (session["status"], session["jobs"]) == ("Succeeded", result["evaluations"])


def test_a_finished_run_is_shown_again_and_nothing_runs(finished: tuple[Path, dict[str, Any], str]) -> None:
    home, result, _ = finished
    again = antiphon(home, "demo", "--resume", "--json")
    assert (again.code, again.data) == (0, result)
    shown = antiphon(home, "demo", "--resume")
    assert f"antiphon jobs list --session {result['session_id']}" in shown.out
    assert "within chemical accuracy" in shown.out


def test_the_commands_it_names_work(finished: tuple[Path, dict[str, Any], str]) -> None:
    home, result, _ = finished
    assert antiphon(home, "jobs", "list", "--session", result["session_id"], "--json").code == 0
    record = antiphon(home, "jobs", "record", result["best_job_id"]).data
    assert record["result"][0]["values"] == [result["energy"]]


def test_killed_in_the_middle_it_goes_on_where_it_was(
    tmp_path: Path, finished: tuple[Path, dict[str, Any], str]
) -> None:
    process = start(tmp_path, "demo", "--json", "--pace", "0.05")
    wait_for_jobs(tmp_path, 10)
    process.kill()
    assert finish(process).out == ""
    ran = finish(start(tmp_path, "demo", "--resume", "--json"))
    assert ran.code == 0, ran.err
    assert ran.data["replayed"] >= 10
    assert ran.data["energies"] == finished[1]["energies"]
    check_nothing_lost_or_doubled(tmp_path, ran.data)


def test_ctrl_c_says_how_to_go_on_and_a_session_that_ended_meanwhile_is_replaced(tmp_path: Path) -> None:
    process = start(tmp_path, "demo", "--pace", "0.05")
    wait_for_jobs(tmp_path, 5)
    process.send_signal(signal.SIGINT)
    ran = finish(process)
    assert (ran.code, ran.out) == (130, "")
    assert f"antiphon demo --resume --home {tmp_path}" in ran.err
    assert "Traceback" not in ran.err
    run = latest_run(tmp_path)
    assert run is not None
    with Workspace(tmp_path, dispatch=False) as workspace:
        (first,) = workspace.sessions()
        assert first.accepting_jobs
        first.close()
    resumed = antiphon(tmp_path, "demo", "--resume")
    assert resumed.code == 0
    assert "new session" in resumed.err
    result = antiphon(tmp_path, "demo", "--resume", "--json").data
    assert result["run_id"] == run.id
    assert result["session_id"] != first.id
    assert len(antiphon(tmp_path, "sessions", "list", "--json").data) == 2
    check_nothing_lost_or_doubled(tmp_path, result)


def test_without_resume_a_new_run_begins(tmp_path: Path) -> None:
    first = antiphon(tmp_path, "demo", "--json").data
    second = antiphon(tmp_path, "demo", "--seed", "4", "--json").data
    assert first["run_id"] != second["run_id"]
    assert first["energies"][0] != second["energies"][0]
    assert len(antiphon(tmp_path, "jobs", "list", "--limit", 1000, "--json").data) == (
        first["evaluations"] + second["evaluations"]
    )


def test_resume_with_nothing_to_go_on_with_starts_a_run(tmp_path: Path) -> None:
    ran = antiphon(tmp_path, "demo", "--resume")
    assert ran.code == 0
    assert "starting one" in ran.err
    assert "evaluation   1" in ran.err
