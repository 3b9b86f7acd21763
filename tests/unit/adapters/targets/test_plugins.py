from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from antiphon.adapters.targets.plugins import GROUP, load_plugins
from antiphon.ports.provider import TargetPlugin
from scripted_provider import TARGET, PlanningDriver, ScriptedProvider


def good() -> TargetPlugin:
    return ScriptedProvider().plugin()


def broken() -> TargetPlugin:
    raise RuntimeError("the calibration file is missing")


def not_one() -> object:
    return {TARGET: PlanningDriver(None)}


def misnamed() -> TargetPlugin:
    return TargetPlugin({"other.name": PlanningDriver(None)})


def without_driver() -> TargetPlugin:
    return TargetPlugin({}, {TARGET: ScriptedProvider()})


def point(function: str, name: str = "mine") -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{function}", GROUP)


def test_a_plugin_brings_targets_and_providers() -> None:
    found = load_plugins((), [point("good")])
    assert list(found.drivers) == list(found.providers) == [TARGET]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("broken", "the calibration file is missing"),
        ("not_one", "not a TargetPlugin"),
        ("misnamed", f"calls itself '{TARGET}'"),
        ("without_driver", "no driver"),
        ("no_such_function", "no_such_function"),
    ],
)
def test_one_that_cannot_be_loaded_is_left_out_with_its_reason(
    function: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = load_plugins((), [point(function, "bad"), point("good")])
    assert list(found.drivers) == [TARGET]
    assert reason in caplog.text
    assert "bad" in caplog.text


def test_a_name_that_is_taken_stays_whose_it_is(caplog: pytest.LogCaptureFixture) -> None:
    assert not load_plugins([TARGET], [point("good")]).drivers
    assert len(load_plugins((), [point("good", "first"), point("good", "second")]).drivers) == 1
    assert TARGET in caplog.text
