from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.domain.policies.changes import DeviceDrift, changes_between, whether_it_matters
from calibrated_device import calibration


def test_medians_and_the_place_that_got_worse_most() -> None:
    then = calibration(0.0, error=1e-3, t1=100e-6)
    now = replace(
        calibration(1.0, error=2e-3, t1=100e-6),
        qubits=(QubitFigures(150e-6, 100e-6, 0.01, 0.02), QubitFigures(25e-6, 50e-6, 0.05, 0.05)),
    )
    found = {change.figure: change for change in changes_between(then, now)}
    assert list(found) == ["T1", "T2", "readout error", "1-qubit gate error", "2-qubit gate error"]
    t1 = found["T1"]
    assert [t1.then, t1.now] == pytest.approx([100e-6, 87.5e-6])
    assert (t1.worst, t1.worst_then, t1.worst_now) == ("qubit 1", 100e-6, 25e-6)
    assert found["readout error"].worst == "qubit 1"
    assert (found["2-qubit gate error"].then, found["2-qubit gate error"].now) == (0.01, 0.02)
    assert found["2-qubit gate error"].worst == "cz on 0, 1"


def test_where_nothing_got_worse_no_place_is_named() -> None:
    then, now = calibration(0.0, error=2e-3, t1=50e-6), calibration(1.0, error=1e-3, t1=100e-6)
    assert {change.worst for change in changes_between(then, now) if change.figure != "readout error"} == {""}


def test_gates_in_software_and_endless_times_are_left_out() -> None:
    forever = Calibration(
        "t", 0.0, (QubitFigures(math.inf, math.inf, 0.0, 0.0),), {"rz": {(0,): GateFigures(0.0, 0.0)}}, 0.0, 0.0, 0.0
    )
    assert [change.figure for change in changes_between(forever, forever)] == ["readout error"]


@pytest.mark.parametrize(
    ("then", "now", "matters", "words"),
    [
        (0.9, 0.8, True, "fell from 0.900 to 0.800"),
        (0.8, 0.9, True, "rose from 0.800 to 0.900"),
        (0.9, 0.89, False, "fell from 0.900 to 0.890: less than"),
        (0.9, 0.9, False, "stayed at 0.900"),
        (1.0, 1.0, False, "stayed at 1.000"),
    ],
)
def test_a_difference_matters_when_shots_show_it(then: float, now: float, matters: bool, words: str) -> None:
    found, said = whether_it_matters(then, now)
    assert found is matters
    assert words in said


def test_more_shots_show_more() -> None:
    assert not whether_it_matters(0.9, 0.89)[0]
    assert whether_it_matters(0.9, 0.89, shots=100_000)[0]


def test_the_report_survives_json_and_prints() -> None:
    then, now = calibration(0.0), calibration(1.0, error=3e-3)
    found = DeviceDrift(
        "t", then.digest, 0.0, now.digest, 1.0, changes_between(then, now), 0.9, 0.8, True, "It fell."
    )  # fmt: skip
    assert DeviceDrift.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert str(found).splitlines()[0] == "It fell."
    assert "  2-qubit gate error: median 0.01 to 0.03; cz on 0, 1 0.01 to 0.03" in str(found)
    assert "T1: median 100 µs to 100 µs" in str(found)
