from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon import Workspace
from antiphon.client.plots import convergence, histogram, save, timeline
from antiphon.errors import AntiphonError, MissingExtraError

RY = 'OPENQASM 3.0; include "stdgates.inc"; input float t; qubit[1] q; ry(t) q[0];'


def test_a_histogram_shows_the_most_frequent_in_their_own_order() -> None:
    ax: Any = histogram({"11": 40, "00": 60, "01": 3}, title="a $ in a name", top=2)
    assert [bar.get_height() for bar in ax.patches] == [60, 40]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["00", "11"]
    assert "2 of 3" in ax.get_xlabel()
    ax.figure.canvas.draw()


def test_error_bars_are_the_square_root_of_the_counts() -> None:
    ax: Any = histogram({"0": 100})
    (segments,) = [line.get_segments() for line in ax.collections]
    assert [point[1] for point in segments[0]] == [90.0, 110.0]


def test_convergence_shows_the_lowest_so_far_and_the_reference() -> None:
    ax: Any = convergence([3.0, 1.0, 2.0, 0.5], [0.1] * 4, reference=0.0, tolerance=0.1, label="energy")
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines["lowest so far"].get_ydata()) == [3.0, 1.0, 1.0, 0.5]
    assert list(lines["each evaluation"].get_ydata()) == [3.0, 1.0, 2.0, 0.5]
    assert ax.get_ylabel() == "energy"
    assert len(ax.figure.axes) == 2
    assert list(ax.figure.axes[1].lines[0].get_ydata()) == [3.0, 1.0, 1.0, 0.5]


def test_given_axes_are_drawn_on_and_nothing_else() -> None:
    from matplotlib.figure import Figure

    mine = Figure().subplots()
    assert convergence([1.0, 0.0], reference=0.0, ax=mine) is mine
    assert histogram({"0": 1}, ax=mine) is mine
    assert len(mine.figure.axes) == 1


def test_pyplot_is_never_touched() -> None:
    before = "matplotlib.pyplot" in sys.modules
    histogram({"0": 1})
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_a_picture_is_saved_as_png_and_svg(tmp_path: Path) -> None:
    png, svg = save(histogram({"0": 1}), tmp_path / "new" / "picture.v1.png")
    assert (png.name, svg.name) == ("picture.v1.png", "picture.v1.svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text(encoding="utf-8")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="matplotlib"):
        histogram({"0": 1})


def test_the_estimates_and_the_timeline_of_a_session(tmp_path: Path) -> None:
    with Workspace(tmp_path, workers=1) as workspace:
        target = workspace.target("sim.auto")
        with target.open_session(name="loop") as session:
            with pytest.raises(AntiphonError, match="no finished estimate"):
                session.estimates()
            with pytest.raises(AntiphonError, match="no jobs"):
                timeline([])
            for angle in (0.0, np.pi / 2, np.pi):
                target.estimate(RY, {"Z": 1.0}, {"t": angle})
            target.estimate(RY, {"Z": 1.0}, {"t": [0.0, np.pi]})
        values, errors = session.estimates()
        assert values == pytest.approx([1.0, 0.0, -1.0, 1.0, -1.0], abs=1e-9)
        assert errors == [0.0] * 5
        ax: Any = session.plot_convergence(reference=-1.0)
        assert ax.get_title(loc="left") == "loop"
        ax = session.plot_timeline()
        assert ax.get_xlabel() == "milliseconds since the first submit" or "seconds" in ax.get_xlabel()
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["compile", "queue", "execute", "reconcile"]
        ax.figure.canvas.draw()
