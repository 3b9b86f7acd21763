"""The command line on a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon.cli.main import app
from antiphon.domain.identity import Role
from antiphon.domain.quotas import Dimension
from antiphon.engine.access.limits import set_quota
from command_line import Ran
from programs import BELL, ENDLESS
from workspaces import SharedServer

Command = Callable[..., Ran]


def run(*arguments: object, env: dict[str, str | None] | None = None) -> Ran:
    result = CliRunner(env=env).invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def key(shared_server: SharedServer) -> str:
    return shared_server.new_key()


@pytest.fixture
def antiphon(shared_server: SharedServer, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A command of a user whose environment names the server; the home of the user stays empty."""
    monkeypatch.setenv("ANTIPHON_URL", shared_server.server.url)
    monkeypatch.setenv("ANTIPHON_API_KEY", key)
    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path / "home"))
    return run


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    path = tmp_path / "endless.qasm"
    path.write_text(ENDLESS)
    return path


def test_the_life_of_a_job(antiphon: Command, bell: Path, tmp_path: Path) -> None:
    ran = antiphon("submit", bell, "--shots", 500, "--seed", 7, "--wait", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert (ran.data["status"], sum(ran.data["counts"].values())) == ("Succeeded", 500)
    job_id = ran.data["id"]
    assert [job["id"] for job in antiphon("jobs", "list", "--json").data] == [job_id]
    assert antiphon("jobs", "show", job_id[:-1], "--json").data["events"][0]["event"] == "submitted"
    assert antiphon("jobs", "result", job_id, "--json").data["counts"] == ran.data["counts"]
    assert antiphon("jobs", "record", job_id).data["seed"] == 7
    replayed = antiphon("jobs", "replay", job_id, "--json")
    assert (replayed.code, replayed.data["agrees"]) == (0, True)
    assert not (tmp_path / "home").exists()


def test_what_runs_is_watched_and_cancelled(antiphon: Command, endless: Path) -> None:
    queued = antiphon("submit", endless, "--json")
    assert queued.code == 0
    assert f"antiphon jobs watch {queued.data['id']}\n" in queued.err.replace("[/dim]", "")
    assert "folder" not in queued.err
    late = antiphon("jobs", "watch", queued.data["id"], "--timeout", 0.3, "--json")
    assert late.code == 8
    assert json.loads(late.out.splitlines()[0])["status"] in {"Waiting", "Executing"}
    assert antiphon("jobs", "cancel", queued.data["id"]).code == 0
    assert antiphon("jobs", "watch", queued.data["id"]).code == 3


def test_sessions_and_targets(antiphon: Command, shared_server: SharedServer, key: str, bell: Path) -> None:
    from antiphon import Workspace

    with Workspace(shared_server.server.url, api_key=key) as ws:
        session = ws.target("sim.auto").open_session("vqe")
    assert antiphon("submit", bell, "--session", session.id, "--wait", "--quiet").code == 0
    assert antiphon("sessions", "show", session.id, "--json").data["jobs"] == 1
    assert antiphon("sessions", "close", session.id, "--json").data["status"] == "Succeeded"
    assert "sim.auto" in {target["name"] for target in antiphon("targets", "list", "--json").data}


def test_the_options_say_it_as_well_as_the_environment(
    shared_server: SharedServer, key: str, tmp_path: Path, endless: Path
) -> None:
    url = shared_server.server.url
    env: dict[str, str | None] = {"ANTIPHON_URL": "http://127.0.0.1:1", "ANTIPHON_API_KEY": "ant_wrong"}
    ran = run("--api-key", key, "submit", endless, "--url", url, "--json", env=env)
    assert ran.code == 0
    # What to type next names the server, and never the key.
    assert f"--url {url}" in ran.err
    assert key not in ran.err
    assert run("jobs", "cancel", ran.data["id"], "--url", url.removeprefix("http://"), "--api-key", key).code == 0
    # A folder that is asked for goes before the server of the environment.
    assert run("jobs", "list", "--home", tmp_path / "lab", "--json", env=env).data == []


def test_each_way_to_fail_has_its_exit_code(antiphon: Command, shared_server: SharedServer, bell: Path) -> None:
    def code(*arguments: object, **env: str | None) -> tuple[int, str]:
        ran = run(*arguments, "--json", env=dict(env))
        return ran.code, json.loads(ran.err)["error"]["code"]

    assert code("jobs", "list", ANTIPHON_API_KEY="ant_wrong")[0] == 4
    assert code("jobs", "list", ANTIPHON_API_KEY=None) == (4, "credential-missing")
    assert "Set ANTIPHON_API_KEY" in run("jobs", "list", env={"ANTIPHON_API_KEY": None}).err
    viewer = shared_server.new_key(Role.VIEWER)
    assert code("submit", bell, ANTIPHON_API_KEY=viewer) == (4, "not-permitted")
    assert code("jobs", "show", "job_0") == (5, "not-found")
    assert code("jobs", "list", ANTIPHON_URL="http://127.0.0.1:1") == (7, "server-unreachable")
    assert code("jobs", "list", ANTIPHON_URL="http://user:pw@host") == (7, "url-invalid")


def test_administration_says_that_it_is_about_a_folder(antiphon: Command, tmp_path: Path) -> None:
    env: dict[str, str | None] = {"ANTIPHON_URL": "http://127.0.0.1:1", "XDG_DATA_HOME": str(tmp_path)}
    ran = run("keys", "list", "--json", env={**env, "ANTIPHON_HOME": None})
    assert (ran.code, ran.data) == (0, [])
    assert str(tmp_path) in ran.err
    assert "does not ask the server" in ran.err
    chosen = run("keys", "list", "--json", env={**env, "ANTIPHON_HOME": str(tmp_path / "lab")})
    assert (chosen.code, chosen.err) == (0, "")


def test_a_quota_has_its_exit_code(antiphon: Command, shared_server: SharedServer, key: str, bell: Path) -> None:
    from antiphon import Workspace

    with Workspace(shared_server.server.url, api_key=key) as ws:
        tenant = ws._connection.workspace
    set_quota(shared_server.engine.ctx, workspace=tenant, dimension=Dimension.SHOTS, limit=100, by="tests")
    refused = antiphon("submit", bell, "--shots", 1000)
    assert (refused.code, refused.out) == (6, "")
    assert "100" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["jobs", "list", "--url", "http://host", "--home", "lab"],
        ["--url", "http://host", "demo"],
        ["--url", "http://host", "doctor"],
        ["demo", "--url", "http://host"],
    ],
)
def test_what_needs_a_folder_takes_no_server(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "url" in ran.err
