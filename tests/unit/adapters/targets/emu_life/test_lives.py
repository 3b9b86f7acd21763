from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.adapters.executors.inline import InlineExecutor
from antiphon.adapters.targets.emu_life.lives import FILE, FOLDER, give_lives
from antiphon.composition import load_drivers
from antiphon.domain.policies.life import LIVES, LivingDevice, StillDevice
from antiphon.errors import StoreError
from antiphon.ports.provider import TargetPlugin

HERE = LivingDevice("emu.manila", LIVES["busy"], 3)


def give(home: Path, *given: LivingDevice | StillDevice, without: str = "") -> TargetPlugin:
    drivers = {name: driver for name, driver in load_drivers().items() if name != without}
    return give_lives(drivers, given, home, ManualClock(), InlineExecutor(drivers))


def test_what_lives_is_written_down_and_read_again(tmp_path: Path) -> None:
    assert not give(tmp_path).drivers
    assert not (tmp_path / FOLDER).exists()
    assert list(give(tmp_path, HERE).providers) == ["emu.manila"]
    assert LivingDevice.from_json(json.loads((tmp_path / FOLDER / FILE).read_text())["devices"][0]) == HERE
    assert give(tmp_path).drivers["emu.manila"].info.version.endswith("+busy.3")
    assert not give(tmp_path, StillDevice("emu.manila")).drivers
    assert not give(tmp_path).drivers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"devices": [{"target": "emu.manila"}]}',
        "[1]",
        '{"devices": [{"target": 1, "life": {"x": 1}, "seed": 0}]}',
    ],
)
def test_a_file_that_says_nothing_is_an_error_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text(text)
    with pytest.raises(StoreError) as refused:
        give(tmp_path)
    assert refused.value.code == "lives-unreadable"
    assert "Delete it" in refused.value.next_step


def test_a_device_that_is_not_installed_any_more_takes_no_other_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    give(tmp_path, HERE, LivingDevice("emu.falcon", LIVES["quiet"]))
    assert list(give(tmp_path, without="emu.manila").drivers) == ["emu.falcon"]
    assert "emu.manila lives in this folder" in caplog.text
