from __future__ import annotations

import pytest

from antiphon.domain.shown import Shown, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (-1.0, "0 s"),
        (0.000_31, "310 µs"),
        (0.0931, "93.1 ms"),
        (12.345, "12.3 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7_199.0, "2 h"),
        (7_500.0, "2 h 5 min"),
        (2 * 86_400.0 - 31.0, "47 h 59 min"),
        (2 * 86_400.0, "2 d"),
        (9 * 86_400.0 + 7_200.0, "9 d 2 h"),
        (1_200 * 86_400.0 + 7_200.0, "1,200 d"),
    ],
)
def test_a_time_in_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_notebook_shows_the_text_and_runs_nothing_of_it() -> None:
    class Told(Shown):
        def __str__(self) -> str:
            return "<script>1 & 2</script>"

    assert "&lt;script&gt;1 &amp; 2&lt;/script&gt;" in Told()._repr_html_()
