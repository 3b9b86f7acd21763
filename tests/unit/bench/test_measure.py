from typing import Any

import pytest
from bench.measure import DisagreementError, Pass, Row, Side, Spread, compare, interleave


def constant(seconds: float, units: int = 1, outcome: Any = None) -> Side:
    return lambda number: Pass(seconds * (number + 1), units, outcome)


def agree(peer: str, ours: Any, theirs: Any) -> None:
    if ours != theirs:
        raise DisagreementError(peer)


def test_sides_alternate_within_a_round() -> None:
    order: list[tuple[str, int]] = []

    def side(name: str) -> Side:
        def run(number: int) -> Pass:
            order.append((name, number))
            return Pass(1.0)

        return run

    interleave({"a": side("a"), "b": side("b")}, rounds=3)
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_ratios_are_taken_pair_by_pair_and_per_unit() -> None:
    peers = {"slow": constant(1.0, units=5), "same": constant(0.1, units=10)}
    slow, same = compare("c", "call", constant(0.1, units=10), peers, rounds=3, check=agree, aims={"slow": 0.1})
    # 10 ms a unit against 200 ms, in every round, although every round is slower than the one before.
    assert slow.ratio is not None
    assert slow.ratio.median == pytest.approx(0.05)
    assert slow.ratio.high == pytest.approx(slow.ratio.low)
    assert slow.ours.median == pytest.approx(0.02)
    assert slow.met is True
    assert slow.notes == ("5 in a peer's pass, 10 in ours",)
    assert same.ratio is not None
    assert same.ratio.median == pytest.approx(1.0)
    assert same.met is None


def test_a_missed_aim_is_said() -> None:
    (row,) = compare("c", "call", constant(1.0), {"p": constant(2.0)}, rounds=1, check=agree, aims={"p": 0.4})
    assert row.met is False


def test_an_absolute_aim_is_on_the_time() -> None:
    assert Row("c", "call", Spread.of([0.9e-3, 0.8e-3, 2.0]), aim=1e-3).met is True
    assert Row("c", "call", Spread.of([1.1e-3]), aim=1e-3).met is False


def test_sides_that_disagree_stop_the_case() -> None:
    with pytest.raises(DisagreementError, match="other"):
        compare("c", "call", constant(1.0, outcome=1), {"other": constant(1.0, outcome=2)}, rounds=1, check=agree)
