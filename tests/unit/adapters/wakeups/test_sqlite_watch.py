from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.wakeups.sqlite_watch import LOOK_S, SqliteWakeups

QUESTION = "SELECT EXISTS (SELECT 1 FROM things WHERE waits)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a database.db"
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE things (waits INTEGER)")
    connection.close()
    return path


@pytest.fixture
def woken(file: Path) -> Iterator[threading.Event]:
    event = threading.Event()
    watch = SqliteWakeups(file, QUESTION)
    watch.start(event.set, print)
    yield event
    watch.close()


def insert(file: Path, waits: int) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("INSERT INTO things VALUES (?)", (waits,))
    connection.close()


def test_a_commit_of_something_that_waits_wakes(file: Path, woken: threading.Event) -> None:
    for _ in range(3):
        insert(file, 1)
        assert woken.wait(10)
        woken.clear()


def test_a_commit_after_which_nothing_waits_does_not_wake(file: Path, woken: threading.Event) -> None:
    insert(file, 0)
    time.sleep(5 * LOOK_S)
    assert not woken.is_set()


def test_what_waited_before_it_watched_wakes(file: Path) -> None:
    insert(file, 1)
    event = threading.Event()
    watch = SqliteWakeups(file, QUESTION)
    watch.start(event.set, print)
    assert event.wait(10)
    watch.close()
    watch.close()


def test_a_file_that_is_not_there_is_neither_made_nor_an_error(tmp_path: Path) -> None:
    watch = SqliteWakeups(tmp_path / "none.db", QUESTION)
    watch.start(lambda: None, print)
    time.sleep(2 * LOOK_S)
    watch.close()
    assert list(tmp_path.iterdir()) == []
