from __future__ import annotations

from typing import Any

from antiphon.adapters.targets.sim.provenance import told_of
from antiphon.domain.results import Outcome, Sampled
from antiphon.engine.batch_plans import PLANNED
from antiphon.engine.batch_provenance import MOST_WORDS, merged, share_of

SETTINGS = {"readout": True}


def part(engine: str, why: str, calls: int = 1) -> dict[str, Any]:
    return {
        "engine": engine,
        "engine_version": f"{engine} 1",
        "method": "m",
        "precision": "double",
        "why": why,
        "engine_s": 0.25,
        "num_calls": calls,
    }


def outcomes(count: int, shots: int = 0) -> tuple[Outcome, ...]:
    details = {"mitigation": {"overhead": {"shots": shots, "circuits": 3}}} if shots else None
    return (Sampled((), ({"0": 1},), 1, details=details),) * count


PARTS = [part("a", "small"), part("b", "large", 3), part("a", "small"), part("c", "odd"), part("b", "large", 2)]


def cut(size: int) -> list[dict[str, Any]]:
    """What each program keeps where so many share an execution."""
    found = []
    for start in range(0, len(PARTS), size):
        parts = PARTS[start : start + size]
        found += [share_of(told_of(parts), place, outcomes(len(parts))) for place in range(len(parts))]
    return found


def test_a_batch_tells_the_same_however_it_was_cut() -> None:
    whole = merged(cut(5))
    assert [merged(cut(size)) for size in (1, 2, 3, 4)] == [whole] * 4
    assert whole == {name: value for name, value in told_of(PARTS).items() if name != "pubs"}
    assert (whole["engine"], whole["num_calls"], whole["engine_s"]) == ("a | b | c", 8, 1.25)


def test_a_program_tells_of_itself_alone() -> None:
    for size in (1, 3, 5):
        found = cut(size)
        assert [each["engine"] for each in found] == ["a", "b", "a", "c", "b"]
        assert [each["engine_version"] for each in found] == ["a 1", "b 1", "a 1", "c 1", "b 1"]
        assert not any("pubs" in each for each in found)


def test_mitigation_is_told_of_all_programs() -> None:
    def told(verdicts: list[str], shots: int) -> dict[str, Any]:
        count = len(verdicts)
        overhead = {"shots": shots * count, "circuits": 3 * count, "seconds": 0.5 * count}
        mitigation = {"settings": SETTINGS, "verdicts": verdicts, "overhead": overhead}
        return {"engine": "a | b", "engine_s": 0.5 * count, "num_calls": 5, "mitigation": mitigation}

    first, second = told(["helps", "harms"], 100), told(["no evidence"], 40)
    items = [share_of(first, place, outcomes(2, 100)) for place in range(2)] + [share_of(second, 0, outcomes(1, 40))]
    assert [each["mitigation"]["verdicts"] for each in items] == [["helps"], ["harms"], ["no evidence"]]
    assert items[1]["mitigation"]["overhead"] == {"shots": 100, "circuits": 3, "seconds": 0.5}
    whole = merged([{**each, PLANNED: {}} for each in items])
    assert whole == {
        "engine": "a | b",
        "engine_s": 1.5,
        "num_calls": 10,
        "mitigation": {
            "settings": SETTINGS,
            "verdicts": ["helps", "harms", "no evidence"],
            "overhead": {"shots": 240, "circuits": 9, "seconds": 1.5},
        },
    }


def test_reasons_without_number_are_counted() -> None:
    words = merged([part("a", f"reason {number}") for number in range(300)])["why"].split(" | ")
    assert words[-2:] == [f"reason {MOST_WORDS - 1}", f"{300 - MOST_WORDS} more"]


def test_what_a_target_tells_in_its_own_way_is_kept() -> None:
    assert share_of({"custom": 1}, 1, outcomes(2)) == {"custom": 1, "engine_s": 0.0}
    assert merged([{"custom": 1, "engine": None}, {}]) == {"custom": 1, "engine": None, "engine_s": 0}
    assert merged([]) == {"engine_s": 0.0}
