from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import pytest

from antiphon.cli import doctor_checks
from antiphon.cli.doctor_checks import run_checks


def test_everything_is_well_here(tmp_path: Path) -> None:
    found = {check.name: check for check in run_checks(tmp_path)}
    assert {name for name, check in found.items() if check.level == "fail"} == set()
    assert "00" in found["run inline"].found
    assert found["run inline"].found == found["run in a worker"].found
    assert "qiskit-aer" in found["extra sims"].found


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(package: str) -> str:
        if package in {"stim", "matplotlib"}:
            raise metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(metadata, "version", version)
    sims, plots = doctor_checks._extra("sims"), doctor_checks._extra("plots")
    assert (sims.level, sims.fix) == ("fail", 'pip install "antiphon[sims]"')
    assert "stim (Clifford programs)" in sims.found
    assert (plots.level, plots.fix) == ("warn", 'pip install "antiphon[plots]"')


def test_a_folder_that_cannot_be_written_fails_with_its_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = doctor_checks._folder(tmp_path / "file")
    assert folder.level == "fail"
    assert "--home" in folder.fix


def test_a_corrupt_database_fails_with_its_fix(tmp_path: Path) -> None:
    (tmp_path / "antiphon.db").write_bytes(b"not a database" * 200)
    database = doctor_checks._guarded("database", lambda: doctor_checks._database(tmp_path))
    assert database.level == "fail"
    assert database.fix


@pytest.mark.parametrize(("free", "level"), [(2**40, "ok"), (2**29, "warn"), (2**20, "fail")])
def test_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, level: str) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
    assert doctor_checks._disk(tmp_path / "not" / "yet").level == level
