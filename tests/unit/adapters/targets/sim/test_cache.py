from __future__ import annotations

from antiphon.adapters.targets.sim.cache import BoundedCache


def test_what_was_used_last_is_kept_up_to_the_capacity() -> None:
    cache: BoundedCache[str] = BoundedCache(5, len)
    for key in ("ab", "cd"):
        assert cache.get(key, lambda key=key: key) == key  # type: ignore[misc]
    cache.get("ab", str)
    assert cache.get("ef", lambda: "ef") == "ef"
    assert [cache.has(key) for key in ("ab", "cd", "ef")] == [True, False, True]
    assert cache.get("long", lambda: "longer") == "longer"
    assert not cache.has("long")


def test_what_is_put_replaces_and_what_is_popped_is_gone() -> None:
    cache: BoundedCache[str] = BoundedCache(4, len)
    cache.put("a", "one")
    cache.put("a", "two")
    assert cache.get("a", str) == "two"
    cache.put("b", "x")
    assert cache.has("a")  # what was replaced counts no more
    assert cache.pop("a") == "two"
    assert cache.pop("a") is None
    cache.put("c", "abc")
    assert [cache.has(key) for key in "abc"] == [False, True, True]
