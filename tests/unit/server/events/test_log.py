from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.store import open_store
from antiphon.ports.job_store import JobStore
from antiphon.server.events import log
from antiphon.server.events.log import LogReader, News
from stored_facts import add_job, add_session, claim


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    store = open_store(tmp_path / "antiphon.db")
    yield store
    store.close()


class _Log:
    """Writes lines with a `seq` of its own, as they become visible on PostgreSQL."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def append(self, seq: int, subject: str) -> None:
        self._connection.execute(
            "INSERT INTO events VALUES (?, ?, 1, 'submitted', 'Waiting', 0.0, '', '')", (seq, subject)
        )

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def lines(tmp_path: Path, store: JobStore) -> Iterator[_Log]:
    lines = _Log(tmp_path / "antiphon.db")
    yield lines
    lines.close()


def test_the_first_look_jumps_and_later_ones_read_on(store: JobStore) -> None:
    old = add_job(store)
    reader = LogReader(store)
    assert reader.look() == News(jumped=True)
    assert reader.look() == News()
    new = add_job(store)
    claim(store, old)
    claim(store, new)
    assert reader.look() == News(((new.id, None), (old.id, None)))
    assert reader.look() == News()


def test_workspaces_are_said_where_they_are_asked_for(store: JobStore) -> None:
    reader = LogReader(store)
    reader.look()
    job, session = add_job(store, workspace="other"), add_session(store)
    assert reader.look(with_workspaces=True).subjects == ((job.id, "other"), (session.id, "default"))
    claim(store, job)
    assert reader.look(with_workspaces=True).subjects == ((job.id, "other"),)


def test_a_reader_far_behind_skips_only_what_nobody_needs_by_name(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PAGE", 4)
    monkeypatch.setattr(log, "WINDOW", 2)
    skips, reads = LogReader(store), LogReader(store)
    skips.look()
    reads.look()
    jobs = [add_job(store) for _ in range(9)]
    assert skips.look() == News(jumped=True)
    assert skips.look() == News()
    assert [subject for subject, _ in reads.look(with_workspaces=True).subjects] == [job.id for job in jobs]


def test_a_jump_tells_nothing_old(store: JobStore) -> None:
    reader = LogReader(store)
    reader.look()
    add_job(store)
    assert reader.look(jump=True) == News(jumped=True)
    new = add_job(store)
    assert reader.look().subjects == ((new.id, None),)


def test_a_line_that_appears_late_is_told_once(store: JobStore, lines: _Log) -> None:
    reader = LogReader(store)
    lines.append(1, "job-1")
    reader.look()
    lines.append(4, "job-4")
    assert reader.look().subjects == (("job-4", None),)
    assert reader.look() == News()
    lines.append(3, "job-3")
    assert reader.look().subjects == (("job-3", None),)
    lines.append(5, "job-5")
    lines.append(2, "job-2")
    assert reader.look().subjects == (("job-2", None), ("job-5", None))
    assert reader.look() == News()


def test_a_line_that_appears_after_the_first_look_is_told(store: JobStore, lines: _Log) -> None:
    reader = LogReader(store)
    lines.append(7, "job-7")
    reader.look()
    lines.append(6, "job-6")
    assert reader.look().subjects == (("job-6", None),)


def test_a_number_that_never_comes_is_forgotten(store: JobStore, lines: _Log) -> None:
    now = [0.0]
    reader = LogReader(store, now=lambda: now[0])
    reader.look()
    lines.append(2, "job-2")
    reader.look()
    now[0] = log.LATE_S + 0.1
    lines.append(3, "job-3")
    reader.look()
    lines.append(1, "job-1")
    assert reader.look() == News()
