"""Each check of the contract kit catches what it is named after, and lets the same target without the fault pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.client.embedded import EmbeddedConnection
from antiphon.client.kit import CHECKS, KitReport, Outcome
from antiphon.errors import LimitError
from antiphon.ports.provider import TargetPlugin
from faulty_targets import (
    NAME,
    BackInTime,
    FaultyDevice,
    FaultyDriver,
    OnceOnly,
    Untidy,
    WithoutCancel,
    WithoutKeys,
    WithoutLimits,
    backwards,
    device_info,
    from_the_wrong_end,
    merged,
    never_otherwise,
    one_short,
    padded,
    rounded,
    with_time,
    without_conditions,
    without_delays,
    without_resets,
)

Verify = Callable[..., KitReport]


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    def run(driver: FaultyDriver, *only: str) -> KitReport:
        plugin = TargetPlugin({NAME: driver}, {})
        monkeypatch.setattr("antiphon.composition.load_plugins", lambda *_: plugin)
        with Workspace(tmp_path / "lab", workers=1) as workspace:
            return workspace.target(NAME).verify(only=only, patience=30)

    return run


def a_device(**fault: object) -> FaultyDevice:
    return FaultyDevice(info=device_info(), **fault)  # type: ignore[arg-type]


def without_calibration() -> FaultyDevice:
    device = a_device()
    device.keeps_calibration = False
    return device


FAULTS = {
    "bits-reversed": (FaultyDriver(misread=backwards), "bit-order"),
    "registers-merged": (FaultyDriver(misread=merged), "registers"),
    "rzz-rounded": (FaultyDriver(rewrite=rounded("rzz")), "angles"),
    "cp-rounded": (FaultyDriver(rewrite=rounded("cp")), "angles"),
    "rzz-rounded-on-a-device": (a_device(rewrite=rounded("rzz")), "angles"),
    "delays-dropped": (a_device(rewrite=without_delays), "delays"),
    "resets-dropped": (FaultyDriver(rewrite=without_resets), "mid-circuit"),
    "conditions-dropped": (FaultyDriver(rewrite=without_conditions), "conditions"),
    "else-dropped": (FaultyDriver(rewrite=never_otherwise), "conditions"),
    "conditions-from-the-wrong-end": (FaultyDriver(rewrite=from_the_wrong_end), "conditions"),
    "batch-padded": (FaultyDriver(misread=padded), "batches"),
    "sweep-reordered": (FaultyDriver(reorder=True), "sweeps"),
    "seed-ignored": (FaultyDriver(reseed=True), "seeds"),
    "a-shot-lost": (FaultyDriver(misread=one_short), "shots"),
    "options-swallowed": (FaultyDriver(refuses_options=False), "refusals"),
    "calibration-lost": (without_calibration(), "calibration"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_faulty_target_fails_the_check_of_that_name(verify: Verify, fault: str) -> None:
    driver, name = FAULTS[fault]
    [result] = verify(driver, name).results
    assert result.outcome is Outcome.FAILED, result
    assert result.reason
    assert "Error:" not in result.reason, "it should be found, not stumbled over"


def test_the_same_target_without_faults_passes_all(verify: Verify) -> None:
    names = {name for _, name in FAULTS.values()}
    report = verify(FaultyDriver(), *sorted(names - {"delays", "calibration"}))
    assert [result for result in report.results if result.outcome is not Outcome.PASSED] == []
    assert not any("refused" in result.evidence for result in report.results)
    report = verify(a_device(rewrite=with_time), "angles", "delays", "calibration", "bit-order", "seeds", "observables")
    assert [result for result in report.results if result.outcome is not Outcome.PASSED] == []
    assert report.badge is None
    assert report.not_stored


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (WithoutKeys, "double-submit"),
        (WithoutCancel, "cancel"),
        (WithoutLimits, "timeout"),
        (OnceOnly, "reading-twice"),
        (BackInTime, "clock"),
        (Untidy, "refusals"),
    ],
)
def test_a_service_that_breaks_a_promise_fails_the_check_of_that_name(
    tmp_path: Path, kind: type[EmbeddedConnection], name: str
) -> None:
    connection = kind(tmp_path, workers=1)
    with Workspace(connection=connection) as workspace:
        [result] = workspace.target("sim.statevector").verify(only=[name], patience=3).results
        assert result.outcome is Outcome.FAILED, result
        assert result.reason


def test_a_target_that_breaks_down_breaks_no_kit(verify: Verify) -> None:
    def explode(counts: object) -> dict[str, int]:
        raise RuntimeError("boom")

    report = verify(FaultyDriver(misread=explode), "bit-order", "shots", "batches")
    assert [result.outcome for result in report.results] == [Outcome.FAILED] * 3
    assert not report.is_good


def test_a_check_that_is_none_is_refused(verify: Verify) -> None:
    with pytest.raises(LimitError) as refused:
        verify(FaultyDriver(), "bit-odor")
    assert refused.value.code == "check-unknown"


def test_every_check_says_what_it_promises_and_what_peers_got_wrong() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) >= 18
    assert all(check.promise.endswith(".") and check.peers.endswith(".") for check in CHECKS)
