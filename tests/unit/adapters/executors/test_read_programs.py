from __future__ import annotations

import time

import pytest

from antiphon.adapters.executors.read_programs import REFUSED_BYTES, REFUSED_SECONDS, ReadPrograms
from antiphon.errors import ProgramError
from antiphon.frontends.recognise import to_program
from programs import BELL

PROGRAM = to_program(BELL)


def test_the_least_recently_used_goes_first() -> None:
    known = ReadPrograms(20)
    known.keep(b"a", PROGRAM, 10)
    known.keep(b"b", PROGRAM, 10)
    assert known.get(b"a") is PROGRAM
    known.keep(b"c", PROGRAM, 10)
    assert [known.get(key) is PROGRAM for key in (b"a", b"b", b"c")] == [True, False, True]


def test_what_does_not_fit_is_not_kept_and_pushes_nothing_out() -> None:
    known = ReadPrograms(20)
    known.keep(b"a", PROGRAM, 10)
    known.keep(b"b", PROGRAM, 21)
    assert known.get(b"a") is PROGRAM
    assert known.get(b"b") is None


def test_kept_twice_it_counts_once() -> None:
    known = ReadPrograms(20)
    for _ in range(5):
        known.keep(b"a", PROGRAM, 10)
    known.keep(b"b", PROGRAM, 10)
    assert known.get(b"a") is known.get(b"b") is PROGRAM


def test_a_refusal_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    known = ReadPrograms(REFUSED_BYTES)
    error = ProgramError("no")
    known.refuse(b"a", error)
    now[0] += REFUSED_SECONDS - 1
    assert known.get(b"a") is error
    now[0] += 1
    assert known.get(b"a") is None
    known.keep(b"a", PROGRAM, REFUSED_BYTES)
    assert known.get(b"a") is PROGRAM
