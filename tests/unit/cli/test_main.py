from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon.cli.exit_codes import MEANINGS
from antiphon.cli.main import app

HEAVY = {
    "qiskit",
    "cirq",
    "qdk",
    "pennylane",
    "pennylane_lightning",
    "sqlalchemy",
    "matplotlib",
    "numpy",
    "scipy",
    "rich",
    "httpx2",
    "tenacity",
    "fastapi",
    "uvicorn",
}


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["submit", "--help"], ["jobs", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['antiphon', *{arguments!r}]\n"
        "from antiphon.cli.main import main\n"
        "try: main()\n"
        "finally: print('loaded', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "Usage: antiphon" in done.stdout
    assert "antiphon" in loaded
    assert not loaded & HEAVY


def test_help_names_every_command() -> None:
    _, stdout, _ = invoke("--help")
    for command in ("demo", "targets", "submit", "jobs", "sessions", "doctor", "exit-codes"):
        assert f"\n  {command} " in stdout


@pytest.mark.parametrize("arguments", [["exit-codes"], ["help", "exit-codes"], ["help"]])
def test_exit_codes_are_published(arguments: list[str]) -> None:
    code, stdout, _ = invoke(*arguments, "--json")
    assert code == 0
    assert {entry["code"] for entry in json.loads(stdout)} == set(MEANINGS)


@pytest.mark.parametrize(
    ("topic", "usage"),
    [([], "antiphon [OPTIONS]"), (["submit"], "antiphon submit"), (["jobs", "list"], "antiphon jobs list")],
)
def test_help_on_a_command_is_its_help(topic: list[str], usage: str) -> None:
    code, stdout, _ = invoke("help", *topic)
    assert code == 0
    assert f"Usage: {usage}" in stdout


def test_a_topic_that_does_not_exist() -> None:
    code, stdout, stderr = invoke("help", "nonsense")
    assert (code, stdout) == (5, "")
    assert "nonsense" in stderr


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["jobs", "list", "--limit", "0"], ["submit", "/no/such/file.qasm"]]
)
def test_a_wrong_call_is_usage(arguments: list[str]) -> None:
    code, stdout, stderr = invoke(*arguments)
    assert (code, stdout) == (2, "")
    assert "Error" in stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--home", "DIR", "--json", "jobs", "list"],
        ["jobs", "--home", "DIR", "--json"],
        ["jobs", "list", "--json", "--home", "DIR"],
    ],
)
def test_common_options_count_wherever_they_stand(arguments: list[str], tmp_path: Path) -> None:
    code, stdout, _ = invoke(*[str(tmp_path / "lab") if part == "DIR" else part for part in arguments])
    assert (code, json.loads(stdout)) == (0, [])
    assert (tmp_path / "lab" / "antiphon.db").exists()


def test_the_home_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path / "mine"))
    assert invoke("jobs", "list", "--json")[0] == 0
    assert (tmp_path / "mine" / "antiphon.db").exists()


def test_an_unusable_home_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    code, stdout, stderr = invoke("jobs", "list", "--home", str(tmp_path / "file"))
    assert (code, stdout) == (1, "")
    assert "Error: " in stderr
    assert "next step: " in stderr
    assert "Traceback" not in stderr


def test_an_error_is_json_when_the_data_would_be(tmp_path: Path) -> None:
    code, stdout, stderr = invoke("jobs", "show", "job_0", "--json", "--home", str(tmp_path))
    assert (code, stdout) == (5, "")
    assert json.loads(stderr)["error"]["code"] == "not-found"


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    _, _, stderr = invoke("jobs", "show", "job_0", "--debug", "--home", str(tmp_path))
    assert "Traceback" in stderr


def test_version() -> None:
    code, stdout, _ = invoke("--version")
    assert code == 0
    assert stdout.startswith("antiphon ")


def test_a_file_that_is_not_there_names_the_closest(tmp_path: Path) -> None:
    (tmp_path / "bell.qasm").touch()
    code, _, stderr = invoke("submit", str(tmp_path / "bel.qasm"))
    assert code == 2
    assert "Did you mean" in stderr
    assert "bell.qasm" in stderr


def test_a_folder_is_no_program(tmp_path: Path) -> None:
    code, _, stderr = invoke("submit", str(tmp_path))
    assert code == 2
    assert "is a folder" in stderr


@pytest.mark.parametrize("group", ["jobs", "sessions"])
def test_an_empty_list_says_whether_it_was_narrowed(tmp_path: Path, group: str) -> None:
    home = ("--home", str(tmp_path / "lab"))
    assert "antiphon demo" in invoke(group, "list", *home)[1]
    narrowed = invoke(group, "list", "--target", "sim.mps", *home)[1]
    assert "demo" not in narrowed
    assert f"antiphon {group} list" in narrowed


def test_python_runs_it_as_a_module() -> None:
    ran = subprocess.run([sys.executable, "-m", "antiphon", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == invoke("--version")[1]
