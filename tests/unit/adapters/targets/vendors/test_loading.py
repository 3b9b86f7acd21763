from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.secrets import FileSecrets
from antiphon.adapters.targets.vendors import build_vendors
from antiphon.adapters.targets.vendors.environments import find_uv, install
from antiphon.adapters.targets.vendors.loading import launch_of
from antiphon.adapters.targets.vendors.settings import FILE, read_settings
from antiphon.errors import MissingExtraError, SecretError, SettingsError
from antiphon.ports.secrets import SecretSource

DEVICE: dict[str, Any] = {
    "name": "fake_x",
    "kind": "emulator",
    "qubits": 5,
    "profile": "Base",
    "max_shots": 100,
    "max_programs": 10,
    "formats": ["openqasm3"],
    "description": "x",
}


def nowhere() -> SecretSource:
    raise AssertionError("secrets are read when a process starts, and not before")


def checked(home: Path, vendor: str = "ibm") -> None:
    folder = home / "providers" / vendor
    folder.mkdir(parents=True)
    (folder / "devices.json").write_text(json.dumps({"sdk": {"p": "1"}, "devices": [DEVICE]}))


def test_without_the_file_there_is_nothing(tmp_path: Path) -> None:
    assert dict(build_vendors(tmp_path, nowhere).drivers) == {}


def test_what_was_checked_are_targets_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[ibm]\n")
    checked(tmp_path)
    found = build_vendors(tmp_path, nowhere)
    assert list(found.drivers) == list(found.providers) == ["ibm.fake_x"]
    info = found.drivers["ibm.fake_x"].info
    assert (info.provider, info.slots, info.seeded, info.version) == ("ibm", 4, False, "p-1")
    assert found.providers["ibm.fake_x"].settle_seconds > 120


def test_what_was_never_checked_is_left_out_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text("[ibm]\n[braket]\n")
    checked(tmp_path, "braket")
    assert list(build_vendors(tmp_path, nowhere).drivers) == ["braket.fake_x"]
    assert "antiphon providers check ibm" in caplog.text


@pytest.mark.parametrize("text", ["[nobody]\n", "[ibm"])
def test_a_wrong_file_takes_no_other_target_away(text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text(text)
    assert dict(build_vendors(tmp_path, nowhere).drivers) == {}
    assert FILE in caplog.text


def test_secrets_are_read_by_name_when_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[ibm]\nmode = "live"\n[ibm.secrets]\ntoken = "provider.ibm.token"\n')
    settings = read_settings(tmp_path)["ibm"]
    launch = launch_of(settings, lambda: FileSecrets(tmp_path))
    with pytest.raises(SecretError, match=r"provider\.ibm\.token"):
        launch.secrets()
    path = tmp_path / "provider.ibm.token"
    path.write_text("text of it\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert launch.secrets() == {"token": "text of it"}
    assert "text of it" not in repr(launch)


def test_an_environment_needs_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(find_uv()).exists()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError) as missing:
        install("ibm", tmp_path / "environment")
    assert "pip install uv" in missing.value.next_step


def test_what_uv_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "environment").write_text("a file is in the way")
    with pytest.raises(SettingsError) as failed:
        install("ibm", tmp_path / "environment")
    assert failed.value.code == "provider-install"
    assert failed.value.cause


@pytest.mark.parametrize(
    "device",
    [
        {},
        7,
        {**DEVICE, "profile": "Everything"},
        {**DEVICE, "name": "\x1b[2Jx"},
        {**DEVICE, "name": "a/../b"},
        {**DEVICE, "name": "x" * 500},
        {**DEVICE, "max_programs": None},
    ],
)
def test_a_device_that_is_described_wrongly_takes_no_other_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, device: Any
) -> None:
    (tmp_path / FILE).write_text("[ibm]\n")
    checked(tmp_path)
    file = tmp_path / "providers" / "ibm" / "devices.json"
    file.write_text(json.dumps({"sdk": {"p": "1"}, "devices": [device, DEVICE]}))
    assert list(build_vendors(tmp_path, nowhere).drivers) == ["ibm.fake_x"]
    assert "left out" in caplog.text
    assert "\x1b" not in caplog.text
