from __future__ import annotations

from antiphon.cli.demo_loop import Progress
from antiphon.cli.demo_screen import COLUMNS, ROWS, chart
from antiphon.molecules import hydrogen


def test_the_chart_puts_high_energies_above_low_ones() -> None:
    exact = hydrogen().exact_energy
    rows = chart([0.0, exact], hydrogen()).plain.splitlines()
    marks = [index for index, row in enumerate(rows) if "●" in row]
    assert marks == [0, ROWS - 2]
    assert rows[0].index("●") < rows[ROWS - 2].index("●")


def test_a_long_run_is_drawn_in_the_same_width() -> None:
    rows = chart([0.0] * (3 * COLUMNS), hydrogen()).plain.splitlines()
    assert rows[0].count("●") == COLUMNS
    assert len({len(row) for row in rows[:-1]}) == 1
    assert rows[-1].rstrip().endswith(str(3 * COLUMNS))


def test_the_best_is_the_lowest() -> None:
    assert Progress([0.5, -1.0, -0.2]).best == -1.0
