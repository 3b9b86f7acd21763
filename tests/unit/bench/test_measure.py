from typing import Any

import pytest
from bench.measure import DisagreementError, Pass, Row, Side, Spread, compare, interleave, tried


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


def test_a_peer_that_refuses_stands_in_the_table_with_its_words_and_without_a_verdict() -> None:
    def broken() -> Side:
        message = "no memory for that\nand a long story"
        raise MemoryError(message)

    (row,) = compare("c", "call", constant(1.0), {"p": tried(broken)}, rounds=1, check=agree, aims={"p": 0.1})
    assert row.refusal == "no memory for that"
    assert row.notes == ("refuses: no memory for that",)
    assert (row.theirs, row.ratio, row.met) == (None, None, None)
    assert tried(lambda: constant(2.0)) is not None


def test_a_peer_that_takes_long_is_in_the_first_rounds_only_and_the_row_says_so() -> None:
    peers = {"slow": constant(2.0), "quick": constant(2.0)}
    slow, quick = compare("c", "call", constant(1.0), peers, rounds=3, check=agree, at_most={"slow": 1})
    assert slow.notes == ("1 of 3 rounds",)
    assert slow.theirs == Spread.of([2.0])
    assert quick.theirs == Spread.of([2.0, 4.0, 6.0])
