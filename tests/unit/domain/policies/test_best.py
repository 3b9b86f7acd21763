from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.best import Choice, choose_best
from antiphon.domain.policies.candidates import Candidate, Prefer, Reason, Wish
from antiphon.errors import LimitError

FAST = Candidate("fast", 0.80, 10.0, 5.0, "EUR")
GOOD = Candidate("good", 0.95, 3600.0, 9.0, "EUR")
CHEAP = Candidate("cheap", 0.60, 7200.0, None)
ALL = [FAST, GOOD, CHEAP]


@pytest.mark.parametrize(("prefer", "order"), [
    (Prefer.FIDELITY, ["good", "fast", "cheap"]),
    (Prefer.WAIT, ["fast", "good", "cheap"]),
    (Prefer.COST, ["cheap", "fast", "good"]),
])  # fmt: skip
def test_what_is_preferred_decides(prefer: Prefer, order: list[str]) -> None:
    choice = choose_best(ALL, Wish(prefer))
    assert [each.target for each in choice.candidates] == order
    assert choice.target == order[0]
    assert order[1] in choice.why


def test_what_is_alike_is_decided_by_the_rest() -> None:
    near = Candidate("near", 0.945, 60.0, 9.0, "EUR")
    assert choose_best([GOOD, near], Wish()).target == "near"
    assert choose_best([GOOD, Candidate("twin", 0.95, 3600.0, 8.0, "EUR")], Wish()).target == "twin"


@pytest.mark.parametrize(("wish", "target", "out"), [
    (Wish(max_wait_s=60.0), "fast", "waits"),
    (Wish(min_fidelity=0.9, prefer=Prefer.WAIT), "good", "below 0.9"),
    (Wish(max_cost=6.0), "fast", "9.00 EUR"),
])  # fmt: skip
def test_limits_take_candidates_out_and_say_why(wish: Wish, target: str, out: str) -> None:
    choice = choose_best(ALL, wish)
    assert choice.target == target
    assert any(out in each.refused for each in choice.candidates)
    assert choice.candidates[0].refused == ""


def test_nothing_that_fits_is_an_error_with_all_reasons() -> None:
    with pytest.raises(LimitError) as refused:
        choose_best([FAST, Candidate("narrow", refused="It has 5 qubits.")], Wish(min_fidelity=0.99))
    assert refused.value.code == "no-target-fits"
    assert refused.value.cause == "expected fidelity below 0.99 (fast 0.800); It has 5 qubits (narrow)"
    assert refused.value.next_step == "Ask for less: fast takes it with min_fidelity=0.8."
    with pytest.raises(LimitError):
        choose_best([], Wish())


def test_two_currencies_are_not_compared() -> None:
    other = Candidate("other", 0.5, 1.0, 1.0, "USD")
    with pytest.raises(LimitError) as refused:
        choose_best([FAST, other], Wish(Prefer.COST))
    assert refused.value.code == "currencies-differ"
    assert choose_best([FAST, other], Wish()).target == "fast"


HQC = Candidate("ion", 0.99, 1.0, 3.0, "HQC")
USD = Candidate("heron", 0.9, 1.0, 5.0, "USD")


def test_costs_are_compared_in_the_currency_that_is_named() -> None:
    named = choose_best([HQC, USD], Wish(Prefer.COST, currency="USD"))
    assert (named.target, named.candidates[1].refused) == ("heron", "it is priced in HQC, and no rate to USD is given")
    rated = choose_best([HQC, USD], Wish(Prefer.COST, currency="USD", rates={"HQC": 1.5}))
    assert rated.target == "ion"
    assert "4.50 USD" in rated.why
    assert "1 HQC as 1.5 USD" in rated.why
    assert choose_best([HQC, USD], Wish(Prefer.COST, currency="USD", rates={"HQC": 2.0})).target == "heron"
    assert choose_best([HQC, USD], Wish(max_cost=4.0, currency="HQC", rates={"USD": 0.5})).target == "ion"
    assert choose_best([HQC, USD], Wish(currency="USD")).target == "ion"


def test_what_costs_nothing_is_cheapest_in_any_currency() -> None:
    choice = choose_best([HQC, USD, CHEAP], Wish(Prefer.COST))
    assert [each.target for each in choice.candidates] == ["cheap", "ion", "heron"]
    assert "Costs in HQC and USD were not compared" in choice.why


def test_amounts_of_several_currencies_never_decide() -> None:
    same = [Candidate("a", 0.9, 1.0, 9.0, "USD"), Candidate("b", 0.9, 1.0, 2.0, "HQC")]
    choice = choose_best(same, Wish())
    assert choice.target == "a"
    assert "differ in nothing that counts" in choice.why
    with pytest.raises(LimitError) as refused:
        choose_best(same, Wish(max_cost=5.0))
    assert refused.value.code == "currencies-differ"
    assert "currency='HQC'" in refused.value.next_step
    assert "rates={'USD': …}" in refused.value.next_step
    # What is out anyway has no say in that.
    assert choose_best([*same[:1], evolve(same[1], fidelity=0.1)], Wish(max_cost=9.0, min_fidelity=0.5)).target == "a"


def out(target: str, what: str, figure: str, way_out: str) -> Candidate:
    return Candidate(target, refused=f"{what} {figure}", reason=Reason(what, figure, way_out))


def test_what_is_out_for_the_same_is_told_together_with_the_way_out_that_helps() -> None:
    narrow = [
        out(name, "too few qubits for 30", figure, "Use fewer qubits.") for name, figure in (("a", "5"), ("b", "27"))
    ]
    with pytest.raises(LimitError) as refused:
        choose_best(narrow, Wish(min_fidelity=0.5))
    assert refused.value.cause == "too few qubits for 30 (a 5, b 27)"
    assert refused.value.next_step == "Use fewer qubits."
    nearly = Candidate("c", 0.45678, 100.2, 3.0, "EUR")
    with pytest.raises(LimitError) as limits:
        choose_best([*narrow, nearly], Wish(min_fidelity=0.5, max_wait_s=60.0))
    assert limits.value.next_step == "Ask for less: c takes it with min_fidelity=0.456 and max_wait=101."
    assert choose_best([*narrow, nearly], Wish(min_fidelity=0.456, max_wait_s=101.0)).target == "c"
    assert limits.value.details["candidates"][0]["target"] == "a"


def test_an_unknown_fidelity_comes_last_and_meets_no_demand() -> None:
    unknown = Candidate("unknown", None, 0.0)
    assert choose_best([unknown, CHEAP], Wish()).target == "cheap"
    with pytest.raises(LimitError):
        choose_best([unknown], Wish(min_fidelity=0.1))


@pytest.mark.parametrize(("candidates", "prefer", "why"), [
    ([Candidate("a", 0.9, 1.0), Candidate("b", 0.8, 1.0)], Prefer.COST,
     "a was chosen for its expected fidelity, since none has prices: fidelity 0.900, wait 1 s. Next would be b"),
    ([Candidate("a", 0.9, 90.0), Candidate("b", 0.9, 1.0)], Prefer.COST, "b was chosen for its wait, since none has"),
    ([Candidate("a", 0.9, 1.0), Candidate("b", 0.9, 2.0)], Prefer.COST, "a is the first of 2 that differ in nothing"),
    ([Candidate("a", 0.9, 1.0, 2.0, "EUR"), Candidate("b", 0.8, 1.0)], Prefer.COST,
     "b was chosen for its cost: fidelity 0.800, wait 1 s. It has no prices, which counts as nothing. Next would be a"),
    ([Candidate("a", 0.9, 1.0, 2.0, "EUR"), Candidate("b", 0.8, 1.0, 2.0, "EUR")], Prefer.COST,
     "a was chosen for its expected fidelity, since all are alike in cost: "),
    ([Candidate("a", None, 90.0), Candidate("b", None, 1.0)], Prefer.FIDELITY,
     "b was chosen for its wait, since no fidelity is known: fidelity not known"),
    ([Candidate("a", 0.9, 1.0), Candidate("b", 0.8, 2.0)], Prefer.WAIT,
     "a was chosen for its expected fidelity, since all are alike in wait: "),
    ([Candidate("a", 0.9, 1.0), Candidate("b", 0.8, 2.0), Candidate("c", 0.9, 90.0)], Prefer.WAIT,
     "a was chosen for its wait and, among those alike in it, for its expected fidelity: "),
    ([Candidate("a", 0.9, 1.0), Candidate("b", refused="It is off.")], Prefer.COST,
     "a is the only one that fits: fidelity 0.900, wait 1 s. 1 of 2 candidates is out."),
])  # fmt: skip
def test_why_names_what_did_decide(candidates: list[Candidate], prefer: Prefer, why: str) -> None:
    for order in (candidates, candidates[::-1]):
        assert choose_best(order, Wish(prefer)).why.startswith(why)


def test_the_choice_survives_json_and_prints() -> None:
    choice = choose_best(ALL, Wish(max_wait_s=4000.0))
    assert Choice.from_json(json.loads(json.dumps(choice.to_json()))) == choice
    assert "cheap: out, it waits 2 h" in str(choice)
    assert "good: fidelity 0.950, wait 60 min, 9.00 EUR" in str(choice)


candidates = st.lists(
    st.builds(
        Candidate,
        st.text("abc", min_size=1, max_size=3),
        st.none() | st.floats(0, 1),
        st.floats(0, 1e6),
        st.none() | st.floats(0, 1e4),
        st.just("EUR"),
        st.sampled_from(["", "", "out"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.target,
)


@given(candidates=candidates, prefer=st.sampled_from(Prefer))
def test_nobody_is_lost_and_no_order_of_asking_matters(candidates: list[Candidate], prefer: Prefer) -> None:
    if all(each.refused for each in candidates):
        return
    choice = choose_best(candidates, Wish(prefer))
    assert sorted(each.target for each in choice.candidates) == sorted(each.target for each in candidates)
    assert choose_best(candidates[::-1], Wish(prefer)).target == choice.target
    assert not choice.candidates[0].refused
