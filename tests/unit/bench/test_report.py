import io
import json
from dataclasses import replace

import pytest
from bench.measure import Row, Spread
from bench.report import as_json, as_table, duration, machine_facts, notes
from rich.console import Console

ROWS = [
    Row(
        "loop",
        "evaluation",
        Spread(1e-3, 9e-4, 2e-3),
        "peer",
        Spread(5e-3, 4e-3, 6e-3),
        Spread(0.2, 0.1, 0.3),
        0.1,
        ("n",),
    ),
    Row("start", "import", Spread(0.1, 0.1, 0.1), aim=0.15),
]


@pytest.mark.parametrize(("seconds", "text"), [(12.0, "12 s"), (0.25, "250 ms"), (1e-3, "1 ms"), (3.456e-5, "34.6 µs")])
def test_times_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_table_says_ratio_aim_and_verdict() -> None:
    out = io.StringIO()
    Console(file=out, width=140).print(as_table(ROWS))
    loop, start = (line for line in out.getvalue().splitlines() if "evaluation" in line or "import" in line)
    assert "0.2 (0.1..0.3)" in loop
    assert "≤ 0.1" in loop
    assert loop.split()[-1] == "no"
    assert "≤ 150 ms" in start
    assert start.split()[-1] == "yes"


def test_each_note_is_printed_once_with_its_cases() -> None:
    assert notes([*ROWS, ROWS[0]]) == ["loop: n"]


def test_a_note_that_is_not_true_of_every_peer_names_them() -> None:
    other = replace(ROWS[0], peer="other", notes=("n", "fewer"))
    assert notes([ROWS[0], other]) == ["loop: n", "loop (other): fewer"]


def test_the_json_holds_the_machine_and_every_row() -> None:
    data = json.loads(json.dumps(as_json(ROWS, machine_facts())))
    assert data["machine"]["cores"] >= 1
    assert data["machine"]["packages"]["numpy"]
    assert [row["met"] for row in data["rows"]] == [False, True]
    assert data["rows"][0]["ratio"]["median"] == 0.2


def test_a_refusal_stands_where_the_time_would() -> None:
    out = io.StringIO()
    row = Row("wide", "job", Spread(1.0, 1.0, 1.0), "peer", refusal="no memory")
    Console(file=out, width=140).print(as_table([row]))
    (line,) = (line for line in out.getvalue().splitlines() if "wide" in line)
    assert "refuses" in line
