from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from antiphon.cli.shell import Shell, called_as
from antiphon.errors import NotFoundError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "an env" / "bin" / "antiphon"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_hint_names_the_program_by_the_path_it_was_called_by(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(sys, "argv", [str(program), "jobs"])
    assert called_as() == f"'{program}'"
    monkeypatch.chdir(program.parents[1])
    monkeypatch.setattr(sys, "argv", ["bin/antiphon", "jobs"])
    assert Shell().command("jobs list") == "bin/antiphon jobs list"


def test_a_hint_is_short_where_the_name_finds_the_same_program(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert called_as() == "antiphon"


def test_another_program_of_that_name_is_not_taken_for_this_one(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "antiphon"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert called_as() == f"'{program}'"


def test_embedded_in_another_program_the_name_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert called_as() == "antiphon"


def test_a_folder_with_a_space_can_be_typed() -> None:
    assert Shell(home=Path("my lab")).command("jobs list") == "antiphon jobs list --home 'my lab'"


def test_a_hint_names_the_server_and_not_its_key() -> None:
    shell = Shell(url="http://host:8000", api_key="ant_hunter2", anywhere=True)
    assert shell.command("jobs list") == "antiphon jobs list --url http://host:8000"
    assert "hunter2" not in repr(shell)
    shell.anywhere = False
    assert shell.command("demo") == "antiphon demo"


@pytest.mark.parametrize(
    ("given", "server"),
    [
        ({}, "http://env"),
        ({"url": "http://flag"}, "http://flag"),
        ({"home": Path("lab")}, None),
        ({"anywhere": False}, None),
    ],
)
def test_which_server_is_used(given: dict[str, Any], server: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_URL", "http://env")
    assert Shell(**{"anywhere": True, **given}).server == server
    monkeypatch.setenv("ANTIPHON_URL", "")
    assert Shell(anywhere=True).server is None


def test_commands_in_errors_of_inner_layers_work_as_they_stand(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.chdir(program.parents[1])
    monkeypatch.setattr(sys, "argv", ["bin/antiphon"])
    Shell(home=Path("lab")).fail(NotFoundError("None.", next_step="List them with `antiphon jobs list`."))
    assert "List them with `bin/antiphon jobs list --home lab`." in capsys.readouterr().err
