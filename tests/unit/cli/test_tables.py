from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from antiphon import Workspace
from antiphon.cli.tables import age, duration, facts_table, histogram, stages_text, targets_table


def shown(renderable: RenderableType, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    console.print(renderable, crop=False)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7_200, "2 h ago"), (200_000, "2 d ago"), (-5, "0 s ago")],
)
def test_an_age_is_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert age(1_000_000 - seconds, 1_000_000) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0, "0 s"), (2.5e-5, "25 µs"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (600, "10 min")],
)
def test_a_time_span_has_the_unit_that_suits_it(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_stages_are_named() -> None:
    assert stages_text({"compile": 0.001, "queue": None}) == "compile 1 ms · queue -"


def test_the_bars_of_a_histogram_are_in_proportion() -> None:
    lines = shown(histogram({"11": 50, "00": 100})).splitlines()
    assert [line.split()[0] for line in lines] == ["00", "11"]
    assert [line.count("█") for line in lines] == [40, 20]
    assert "66.7%" in lines[0]


def test_a_long_histogram_counts_what_it_leaves_out() -> None:
    text = shown(histogram({f"{index:03b}": 10 + index for index in range(8)}, top=3))
    assert "5 more" in text
    assert "60" in text.splitlines()[-1]


def test_keys_are_not_markup() -> None:
    assert "[red]" in shown(histogram({"[red]": 1}))
    assert "[bold]x" in shown(facts_table({"name": "[bold]x", "absent": None, "empty": ""}))
    assert "absent" not in shown(facts_table({"absent": None}))


@pytest.mark.parametrize("width", [20, 60, 200])
def test_an_outcome_is_whole_and_its_bar_in_proportion_on_any_terminal(width: int) -> None:
    lines = shown(histogram({"0" * 30: 100, "1" * 30: 50}), width).splitlines()
    assert [line.split()[0] for line in lines] == ["0" * 30, "1" * 30]
    full, half = (line.count("█") for line in lines)
    assert abs(full - 2 * half) <= 1 < full


def test_targets_stand_under_what_they_are(tmp_path: Path) -> None:
    with Workspace(tmp_path) as ws:
        lines = shown(targets_table(ws.targets()), 80).splitlines()
        alone = shown(targets_table([ws.target("emu.ion")]), 80)
    assert lines.index("simulators".ljust(80)) < [line.split()[0] for line in lines].index("sim.auto")
    devices = next(index for index, line in enumerate(lines) if line.strip() == "emulated devices")
    assert all(line.startswith("emu.") for line in lines[devices + 1 :])
    assert all(len(line) <= 80 for line in lines)
    assert "devices" not in alone.splitlines()[1]
