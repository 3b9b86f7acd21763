from __future__ import annotations

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.engine import recent
from antiphon.engine.recent import Recent


def test_what_was_read_is_given_again_for_a_second(clock: ManualClock) -> None:
    kept, numbers = Recent(), iter(range(9))

    def read() -> int:
        return next(numbers)

    assert [kept.get("a", clock, read) for _ in range(3)] == [0, 0, 0]
    assert kept.get("b", clock, read) == 1
    clock.advance(1.0)
    assert kept.get("a", clock, read) == 2
    clock.advance(3.0)
    assert kept.get("a", clock, read, fresh_s=5.0) == 2
    kept.forget("a")
    assert kept.get("a", clock, read) == 3


def test_what_was_read_while_it_was_changed_is_not_kept(clock: ManualClock) -> None:
    kept = Recent()

    def read_before_the_change() -> str:
        kept.forget("a")  # as another thread does that commits meanwhile
        return "before"

    assert kept.get("a", clock, read_before_the_change) == "before"
    assert kept.get("a", clock, lambda: "after") == "after"


def test_it_does_not_grow_for_ever(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST", 3)
    kept = Recent()
    for key in range(10):
        kept.get(key, clock, lambda: None)
    assert len(kept._found) <= 3
