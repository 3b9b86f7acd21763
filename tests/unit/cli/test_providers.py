from __future__ import annotations

from pathlib import Path

from antiphon.cli.exit_codes import NOT_FOUND, USAGE
from command_line import antiphon


def test_the_list_has_every_vendor(tmp_path: Path) -> None:
    listed = antiphon(tmp_path, "providers", "list", "--json").data
    assert [row["name"] for row in listed] == ["azure", "ibm", "braket", "ionq", "iqm"]
    assert not any(row["installed"] or row["mode"] or row["targets"] for row in listed)
    assert antiphon(tmp_path, "providers", "--json").data == listed
    assert "qiskit-ibm-runtime" in antiphon(tmp_path, "providers").out


def test_a_vendor_that_is_not_there(tmp_path: Path) -> None:
    ran = antiphon(tmp_path, "providers", "check", "dwave")
    assert ran.code == NOT_FOUND
    assert "azure, ibm, braket, ionq, iqm" in ran.err


def test_a_vendor_that_is_not_configured(tmp_path: Path) -> None:
    ran = antiphon(tmp_path, "providers", "check", "ibm")
    assert ran.code == NOT_FOUND
    assert "providers install ibm" in ran.err


def test_a_vendor_that_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text("[ibm]\n")
    ran = antiphon(tmp_path, "providers", "check", "ibm")
    assert ran.code == 1
    assert "providers install ibm" in ran.err


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text('[ibm]\nmode = "maybe"\n')
    for command in ("list", "check", "install"):
        ran = antiphon(tmp_path, "providers", command, *(() if command == "list" else ("ibm",)))
        assert ran.code == USAGE
        assert "maybe" in ran.err
