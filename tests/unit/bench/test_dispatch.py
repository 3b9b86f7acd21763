import pytest
from bench.dispatch import check_same, rows_of
from bench.dispatch_sides import OURS, PEERS, Amount, Taken
from bench.measure import DisagreementError
from bench.peers_dispatch.driving import answer

COUNTS = {"0000": 500, "1111": 500}


def taken(each: float, overhead: float) -> Taken:
    return Taken(each, overhead, overhead + 1e-3, each, COUNTS)


class Scripted:
    def __init__(self, *counts: dict[str, int]) -> None:
        self.counts = list(counts)

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        return self.counts[:jobs]

    def one(self) -> dict[str, int]:
        return self.counts[0]


def test_each_round_is_compared_with_the_same_round_of_each_peer_that_was_measured() -> None:
    ours, peer = next(side for side in OURS if side.compared), PEERS[0]
    found = {ours.name: [taken(1e-3, 4e-3), taken(3e-3, 4e-3)], peer.name: [taken(2e-3, 2e-3), taken(3e-3, 2e-3)]}
    at_once, one = rows_of(ours, found, Amount(400, 50))
    assert at_once.ratio is not None
    assert (at_once.ratio.low, at_once.ratio.high) == (0.5, 1.0)
    assert at_once.met is True
    assert one.ratio is not None
    assert one.ratio.median == pytest.approx(2.0)
    assert one.met is False


def test_without_peers_our_figures_stand_alone() -> None:
    rows = rows_of(OURS[-1], {OURS[-1].name: [taken(1e-3, 2e-3)]}, Amount(400, 50))
    assert [(row.peer, row.ratio) for row in rows] == [("", None), ("", None)]


def test_a_peer_that_keeps_nothing_has_no_aim() -> None:
    ours, peer = OURS[-1], next(side for side in PEERS if not side.durable)
    found = {ours.name: [taken(1e-3, 2e-3)], peer.name: [taken(1e-3, 2e-3)]}
    assert {row.aim for row in rows_of(ours, found, Amount(400, 50))} == {None}


def test_another_circuit_is_noticed_and_other_amounts_are_not() -> None:
    check_same("peer", COUNTS, {"0000": 5_010, "1111": 4_990})
    with pytest.raises(DisagreementError):
        check_same("peer", COUNTS, {"0000": 1_000})


def test_a_side_that_returns_one_result_for_all_jobs_is_refused() -> None:
    with pytest.raises(RuntimeError, match="not every job was run"):
        answer(Scripted(COUNTS, COUNTS), "all", 2)
    with pytest.raises(RuntimeError, match="1 results came"):
        answer(Scripted(COUNTS), "all", 2)
    assert answer(Scripted(COUNTS, {"0000": 1}), "all", 2)["counts"] == {"0000": 501, "1111": 500}
