from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.adapters.targets.emu_life import ledger
from antiphon.adapters.targets.emu_life.ledger import Place, Places
from antiphon.errors import StoreError

PLACE = Place(key="job_1-0", came=100.0, seconds=10.0, starts=130.0, programs=2, published=50.0)


def test_places_are_kept_for_whoever_opens_the_file(tmp_path: Path) -> None:
    with Places(tmp_path / "one.db").writing() as db:
        number = ledger.add(db, PLACE)
        ledger.add(db, replace(PLACE, key="job_2-0", came=90.0, max_age=5.0, fails_after=0.5))
    again = Places(tmp_path / "one.db")
    assert again.of_key("job_1-0") == replace(PLACE, number=number)
    assert again.numbered(number) == again.of_key("job_1-0")
    assert again.of_key("job_3-0") is None
    with again.writing() as db:
        assert [place.key for place in ledger.since(db, 0.0)] == ["job_2-0", "job_1-0"]
        assert [place.key for place in ledger.since(db, 95.0)] == ["job_1-0"]
        ledger.change(db, number, starts=120.0)
        ledger.change(db, number, cancelled=125.0)
    changed = again.numbered(number)
    assert changed is not None
    assert (changed.starts, changed.cancelled) == (120.0, 125.0)


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
    assert (PLACE.ends, PLACE.visit.seconds) == (140.0, 10.0)
    failing = replace(PLACE, fails_after=0.3)
    assert [failing.ends, failing.visit.seconds] == pytest.approx([133.0, 3.0])
    assert replace(PLACE, cancelled=110.0).visit.seconds == 0.0
    assert replace(PLACE, cancelled=132.0).visit.seconds == 2.0
    assert replace(PLACE, cancelled=200.0).visit.seconds == 10.0
