from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.adapters.executors.inline import InlineExecutor
from antiphon.adapters.targets.emu_life.lives import FILE, FOLDER, give_lives
from antiphon.composition import load_drivers
from antiphon.domain.policies.drift import Drift
from antiphon.domain.policies.life import LIVES, LivingDevice, StillDevice
from antiphon.errors import LimitError, StoreError
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
        pytest.param("[" * 100_000, id="deep"),
        json.dumps({"devices": [HERE.to_json() | {"target": ["emu.manila"]}]}),
        json.dumps({"devices": [HERE.to_json() | {"seed": "3"}]}),
        json.dumps({"devices": [HERE.to_json() | {"life": HERE.life.to_json() | {"refusals": 2}}]}),
    ],
)
def test_a_file_that_says_nothing_is_an_error_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text(text)
    with pytest.raises(StoreError) as refused:
        give(tmp_path)
    assert refused.value.code == "lives-unreadable"
    assert "Delete it" in refused.value.next_step


@pytest.mark.parametrize(
    "changed",
    [
        {"correlation_s": 0.0},
        {"resolution_s": 0.0},
        {"t1": math.nan},
        {"readout": -1.0},
        {"jump_memory_s": 1e12},
        {"gates_2q": "much"},
    ],
)
def test_a_drift_that_no_device_can_have_is_refused_when_it_is_given(changed: dict[str, Any]) -> None:
    with pytest.raises(LimitError) as refused:
        Drift(**changed)
    assert refused.value.code == "life-invalid"


@pytest.mark.parametrize(
    "changed",
    [
        {"outages_per_day": 1e300},
        {"others_per_hour": (1e12,) * 24},
        {"others_per_hour": (math.nan,) * 24},
        {"calibration_every_s": 1e-9, "calibration_takes_s": 0.0},
        {"overhead_s": math.nan},
    ],
)
def test_a_life_that_would_be_played_for_ever_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(LimitError) as refused:
        replace(LIVES["busy"], **changed)
    assert refused.value.code == "life-invalid"


def test_a_damaged_file_of_a_device_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    give(tmp_path, HERE)
    for file in (tmp_path / FOLDER).glob("emu.manila.db*"):
        file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError) as refused:
        give(tmp_path)
    assert refused.value.code == "device-file-unusable"
    assert "delete it" in refused.value.next_step


def test_a_device_that_is_not_installed_any_more_takes_no_other_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    give(tmp_path, HERE, LivingDevice("emu.falcon", LIVES["quiet"]))
    assert list(give(tmp_path, without="emu.manila").drivers) == ["emu.falcon"]
    assert "emu.manila lives in this folder" in caplog.text
