from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.adapters.targets.emu_life import ledger
from antiphon.adapters.targets.emu_life.ledger import Place, Places
from antiphon.errors import StoreError

PLACE = Place(key="job_1-0", came=100.0, seconds=10.0, starts=130.0, programs=2, published=50.0, joined=100.0)


def test_places_are_kept_for_whoever_opens_the_file(tmp_path: Path) -> None:
    with Places(tmp_path / "one.db").writing() as db:
        number = ledger.add(db, PLACE)
        ledger.add(db, replace(PLACE, key="job_2-0", came=90.0, joined=150.0, max_age=5.0, fails_after=0.5))
    again = Places(tmp_path / "one.db")
    assert again.of_key("job_1-0") == replace(PLACE, number=number)
    assert again.numbered(number) == again.of_key("job_1-0")
    assert again.of_key("job_3-0") is None
    with again.writing() as db:
        ledger.change(db, number, starts=120.0)
        ledger.change(db, number, cancelled=125.0)
    changed = again.numbered(number)
    assert changed is not None
    assert (changed.starts, changed.cancelled) == (120.0, 125.0)


def test_a_queue_is_its_last_job_and_those_that_are_not_over(tmp_path: Path) -> None:
    places = Places(tmp_path / "one.db")
    # Each joined and starts then; "b" starts last of those that joined by 30, though it is not the last of them.
    jobs = {"a": (10.0, 20.0), "b": (20.0, 80.0), "c": (30.0, 30.0), "d": (500.0, 510.0), "e": (600.0, 610.0)}
    with places.writing() as db:
        of = {key: replace(PLACE, key=key, joined=at, starts=starts) for key, (at, starts) in jobs.items()}
        of = {key: replace(place, number=ledger.add(db, place)) for key, place in of.items()}
    assert _keys(places.queue(50.0)) == ["b", "c", "d", "e"]
    assert _keys(places.queue(95.0)) == ["c", "d", "e"]
    assert _keys(places.queue(5.0)) == ["a", "b", "c", "d", "e"]
    with places.writing() as db:
        assert _keys(ledger.queue_at(db, of["d"], 400.0)) == ["c", "d", "e"]
        ledger.change(db, of["c"].number, cancelled=29.0)  # it took none of the device's time
        ledger.change(db, of["d"].number, cancelled=515.0)
        assert _keys(ledger.queue_at(db, of["d"], 515.0)) == ["b", "d", "e"]
    assert _keys(places.queue(95.0)) == ["b", "d", "e"]


def _keys(places: list[Place]) -> list[str]:
    return [each.key for each in places]


def test_a_file_from_before_jobs_joined_late_is_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as db:
        db.execute(
            "CREATE TABLE places (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, came REAL NOT "
            "NULL, seconds REAL NOT NULL, starts REAL NOT NULL, programs INTEGER NOT NULL, published REAL NOT NULL, "
            "max_age REAL, fails_after REAL, cancelled REAL)"
        )
        db.execute("INSERT INTO places VALUES (7, 'job_1-0', 100, 10, 130, 2, 50, NULL, NULL, NULL)")
    db.close()
    for _ in range(2):
        assert Places(tmp_path / "old.db").queue(200.0) == [replace(PLACE, number=7)]


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    places = Places(tmp_path / "one.db")
    with pytest.raises(RuntimeError), places.writing() as db:
        ledger.add(db, PLACE)
        raise RuntimeError
    assert places.of_key(PLACE.key) is None


def test_a_key_has_one_place(tmp_path: Path) -> None:
    places = Places(tmp_path / "one.db")
    with places.writing() as db:
        ledger.add(db, PLACE)
    with pytest.raises(StoreError), places.writing() as db:
        ledger.add(db, PLACE)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "one.db").write_text("this is no database, and longer than the header of one would be" * 20)
    with pytest.raises(StoreError) as refused:
        Places(tmp_path / "one.db")
    assert refused.value.code == "device-file-unusable"


def test_what_a_job_takes_of_the_devices_time() -> None:
    assert (PLACE.ends, PLACE.visit.seconds, PLACE.visit.ends) == (140.0, 10.0, 140.0)
    failing = replace(PLACE, fails_after=0.3)
    assert [failing.ends, failing.visit.seconds] == pytest.approx([133.0, 3.0])
    assert replace(PLACE, cancelled=110.0).visit.seconds == 0.0
    assert replace(PLACE, cancelled=132.0).visit.seconds == 2.0
    assert replace(PLACE, cancelled=200.0).visit.seconds == 10.0
