from __future__ import annotations

import datetime as dt

from antiphon.engine.times import in_seconds


def test_lengths_of_time_are_kept_in_seconds() -> None:
    written = {"max_calibration_age": "1h", "max_wait": dt.timedelta(minutes=2), "layout": "1h"}
    assert in_seconds(written) == {"max_calibration_age": 3_600.0, "max_wait": 120.0, "layout": "1h"}
    assert in_seconds({"max_wait": 5, "max_calibration_age": "soon"}) == {"max_wait": 5, "max_calibration_age": "soon"}
