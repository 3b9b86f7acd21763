from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.adapters.targets.vendors.environments import project
from antiphon.adapters.targets.vendors.settings import FILE, VENDORS, read_settings
from antiphon.errors import SettingsError


def written(home: Path, text: str) -> Path:
    (home / FILE).write_text(text)
    return home


def test_no_file_is_no_vendor(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == {}


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=lambda vendor: vendor.name)
def test_the_section_that_install_writes_can_be_read(vendor, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings = read_settings(written(tmp_path, vendor.example))[vendor.name]
    assert settings.mode == vendor.modes[0]
    assert settings.for_process["mode"] == settings.mode
    assert settings.python == tmp_path / "providers" / vendor.name / "environment" / "bin" / "python"
    assert {"pyproject.toml", "uv.lock", "provider.py", "device.py", "job.py"} <= {
        path.name for path in project(vendor.name).iterdir()
    }


def test_what_the_process_is_told_has_no_names_of_secrets(tmp_path: Path) -> None:
    text = '[ibm]\nmode = "live"\ninstance = "crn"\nslots = 9\nsend_timeout_s = 30\nenvironment = "/e"\n'
    settings = read_settings(written(tmp_path, text + '[ibm.secrets]\ntoken = "provider.ibm.token"\n'))["ibm"]
    assert settings.for_process == {"mode": "live", "instance": "crn"}
    assert (settings.slots, settings.send_timeout_s, settings.environment) == (9, 30.0, Path("/e"))
    assert settings.secrets == {"token": "provider.ibm.token"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[dwave]\n", "dwave"),
        ("ibm = 3\n", "ibm"),
        ('[ibm]\nmode = "offline"\n', "offline"),
        ('[ibm]\ntoken = "abc"\n', "token"),
        ('[ibm]\n[ibm.secrets]\npassword = "x.y"\n', "ibm.secrets"),
        ('[ibm]\nsecrets = "x.y"\n', "ibm.secrets"),
        ('[ibm]\ntargets = "fake_fez"\n', "targets"),
        ("[ibm]\nslots = 0\n", "slots"),
        ("[ibm]\nslots = true\n", "slots"),
        ("[ibm]\nsend_timeout_s = 0\n", "send_timeout_s"),
        ("[ibm]\nsend_timeout_s = 1e9\n", "send_timeout_s"),
        ("[ibm\n", ""),
    ],
)
def test_what_nobody_would_read_is_refused(text: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as wrong:
        read_settings(written(tmp_path, text))
    assert named in wrong.value.cause
    assert wrong.value.next_step
    assert FILE in wrong.value.message
