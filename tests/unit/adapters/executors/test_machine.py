import os
from pathlib import Path

import psutil
import pytest

from antiphon.adapters.executors import machine


def test_processors_are_those_this_process_is_allowed_on() -> None:
    assert machine.usable_processors() == len(os.sched_getaffinity(0))


def test_memory_is_shared_evenly_and_leaves_a_fifth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    one, four = machine.memory_for_each_worker(1), machine.memory_for_each_worker(4)
    assert 0 < four < one < psutil.virtual_memory().total * 0.8
    assert one / four == pytest.approx(4, rel=0.2)


def test_a_container_s_limit_counts_where_it_is_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("104857600\n")
    (tmp_path / "memory.current").write_text("4857600\n")
    assert machine.memory_for_each_worker(2) == 40_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory_for_each_worker(2) > 40_000_000
