from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.cli.demo_run import latest_run, new_run, save_run
from antiphon.errors import StoreError


def test_a_run_is_read_back_to_the_bit(tmp_path: Path) -> None:
    assert latest_run(tmp_path) is None
    run = new_run(3, 3, "sim.auto", 12.5)
    save_run(tmp_path, run)
    assert latest_run(tmp_path) == run
    finished = replace(run, result={"energy": -1.1})
    save_run(tmp_path, finished)
    assert latest_run(tmp_path) == finished
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["latest.json"]


def test_the_seed_draws_the_start() -> None:
    first, again, other = new_run(1, 3, "sim.auto", 0), new_run(1, 3, "sim.auto", 0), new_run(2, 3, "sim.auto", 0)
    assert first.start == again.start != other.start
    assert all(abs(angle) <= math.pi / 2 for angle in first.start)
    assert first.id != again.id


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"id": 1}', "not json"])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "latest.json").write_text(text)
    with pytest.raises(StoreError, match="does not hold a run"):
        latest_run(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write"):
        save_run(tmp_path, new_run(0, 3, "sim.auto", 0))
