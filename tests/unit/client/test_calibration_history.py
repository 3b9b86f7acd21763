from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from antiphon.client.calibration_history import LEFT, PANEL, RIGHT, TOP, WIDTH, calibration_history
from antiphon.domain.calibrations import Calibration, QubitFigures
from antiphon.errors import InvalidRequestError

DAY = 86_400.0


def snapshot(day: int, t1: float) -> Calibration:
    qubits = tuple(QubitFigures(t1 * (1 + q), 5e-5, 0.01, 0.03) for q in range(3))
    return Calibration("emu.tests", day * DAY, qubits, {}, 1e-6, 1e-6, 1e-6)


def drawn(*t1s: float) -> ET.Element:
    """Of calibrations on one day after the other, the newest last."""
    found = [snapshot(day, t1) for day, t1 in enumerate(t1s)]
    return ET.fromstring(calibration_history("emu <&>", found[::-1]).svg)


def points(shape: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", shape.get("points", ""))]


def lines(svg: ET.Element) -> list[list[tuple[float, float]]]:
    return [points(each) for each in svg.iter() if each.tag.endswith("polyline")]


def test_each_figure_has_a_panel_in_which_its_line_and_band_stay() -> None:
    svg = drawn(1e-4, 4e-4, 2e-4)
    bands = [points(each) for each in svg.iter() if each.tag.endswith("polygon")]
    assert len(lines(svg)) == len(bands) == 3  # T1, T2, readout
    for number, path in enumerate([*lines(svg), *bands]):
        top = TOP + number % 3 * (PANEL + 16.0)
        assert all(LEFT <= x <= WIDTH - RIGHT and top <= y <= top + PANEL for x, y in path)


def test_higher_is_higher_and_each_calibration_counts_until_the_next() -> None:
    t1 = lines(drawn(1e-4, 4e-4, 2e-4))[0]
    width = (WIDTH - LEFT - RIGHT) / 3
    assert [x for x, _ in t1] == pytest.approx([LEFT + width * step for step in (0, 1, 1, 2, 2, 3)], abs=0.1)
    heights = [t1[0][1], t1[2][1], t1[4][1]]
    assert heights[1] < heights[2] < heights[0]
    # On a logarithmic scale a factor of two is as high everywhere.
    assert heights[0] - heights[2] == pytest.approx(heights[2] - heights[1], abs=0.2)


def test_what_hardly_changes_is_not_blown_up() -> None:
    readout = lines(drawn(1e-4, 1.01e-4))[2]
    assert [y for _, y in readout] == pytest.approx([TOP + 2 * (PANEL + 16.0) + PANEL / 2] * 4, abs=0.1)


def test_one_calibration_is_drawn_and_words_are_escaped(tmp_path: Path) -> None:
    svg = drawn(1e-4)
    assert "emu <&>: 1 calibration, medians and middle halves" in "".join(svg.itertext())
    picture = calibration_history("emu", [snapshot(1, 1e-4)])
    assert picture.save(tmp_path / "one.svg").read_text() == picture._repr_svg_()
    with pytest.raises(InvalidRequestError):
        picture.save(tmp_path / "none" / "one.svg")
