from __future__ import annotations

import sys

from antiphon.server.access.known import RecentlyKnown


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_known_for_a_while() -> None:
    clock = Clock()
    known: RecentlyKnown[int] = RecentlyKnown(4.0, 10, clock)
    known.put("a", 1)
    clock.now = 3.9
    assert known.get("a") == 1
    clock.now = 4.0
    assert known.get("a") is None
    assert known.get("b") is None


def test_being_used_does_not_make_it_live_longer() -> None:
    clock = Clock()
    known: RecentlyKnown[int] = RecentlyKnown(4.0, 10, clock)
    known.put("a", 1)
    for clock.now in (1.0, 2.0, 3.0):
        assert known.get("a") == 1
    clock.now = 4.1
    assert known.get("a") is None


def test_the_one_used_longest_ago_makes_room() -> None:
    known: RecentlyKnown[int] = RecentlyKnown(4.0, 2, Clock())
    known.put("a", 1)
    known.put("b", 2)
    known.get("a")
    known.put("c", 3)
    assert [known.get(text) for text in "abc"] == [1, None, 3]


def test_forgetting() -> None:
    known: RecentlyKnown[int] = RecentlyKnown(4.0, 10, Clock())
    known.put("a", 1)
    known.put("b", 2)
    known.forget(lambda value: value == 1)
    assert [known.get(text) for text in "ab"] == [None, 2]


def test_the_texts_themselves_are_not_kept() -> None:
    known: RecentlyKnown[int] = RecentlyKnown(4.0, 10, Clock())
    secret = "ant_" + "s" * 60
    before = sys.getrefcount(secret)
    known.put(secret, 1)
    assert sys.getrefcount(secret) == before
    assert secret not in repr(vars(known))
