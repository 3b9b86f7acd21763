from __future__ import annotations

from typing import Any

import pytest

from antiphon.domain.policies.life import LIVES, Life, LivingDevice, life_in, version_with_life
from antiphon.errors import LimitError


def test_a_version_says_how_a_device_lives() -> None:
    version = version_with_life("emu-2-b26", LivingDevice("emu.tests", LIVES["bad-day"], 7))
    assert life_in(version) == ("bad-day", 7)
    assert life_in(version_with_life("1+local.x", LivingDevice("t", Life(name="a.b"), -1))) == ("a.b", -1)
    assert life_in("emu-2-b26") is None
    assert life_in("1+local.x") is None


@pytest.mark.parametrize("figures", [
    {"failures": 1.5}, {"refusals": -0.1}, {"others_per_hour": (1.0,) * 23}, {"others_per_hour": (-1.0,) * 24},
    {"calibration_takes_s": 90_000.0}, {"overhead_s": -1.0}, {"others_job_s": 0.0}, {"outage_s": 0.0},
    {"calibration_every_s": float("inf")}, {"shot_pause_s": float("nan")},
])  # fmt: skip
def test_a_life_that_cannot_be_is_refused(figures: dict[str, Any]) -> None:
    with pytest.raises(LimitError) as refused:
        Life(name="none", **figures)
    assert refused.value.code == "life-invalid"
