from __future__ import annotations

import pytest

from antiphon.domain.queues import Access
from antiphon.errors import InvalidRequestError
from antiphon.simulation.contenders import CONTENDERS
from antiphon.simulation.lineup import line_up

GIVEN = {"access": "shared", "gap": "60", "patience": "3600", "aged-every": "4", "window": "1000", "quantum": "30"}


def test_a_policy_has_the_parameters_given_and_its_own() -> None:
    plain, own, peer = line_up(["antiphon", "antiphon:access=exclusive,gap=5,aged-every=2", "fifo"], GIVEN, float)
    assert (plain.policy.access, plain.policy.gap_s, plain.policy.aged_every) == (Access.SHARED, 60, 4)
    assert (own.policy.access, own.policy.gap_s, own.policy.aged_every) == (Access.EXCLUSIVE, 5, 2)
    assert (own.name, own.contender) == ("antiphon:access=exclusive,gap=5,aged-every=2", CONTENDERS["antiphon"])
    assert peer.contender is CONTENDERS["fifo"]
    assert len(line_up(["fifo", "fifo"], GIVEN, float)) == 1


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("lottery", "queue-rule-unknown"),
        ("antiphon:slots=3", "queue-rule-unknown"),
        ("antiphon:access=some", "queue-rule-invalid"),
        ("antiphon:gap=-1", "queue-rule-invalid"),
        ("antiphon:window=0", "queue-rule-invalid"),
        ("antiphon:aged-every=0", "queue-rule-invalid"),
        ("antiphon:aged-every=1.5", "queue-rule-invalid"),
        ("antiphon:quantum=nan", "queue-rule-invalid"),
    ],
)
def test_what_is_none_is_refused(word: str, code: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        line_up([word], GIVEN, float)
    assert refused.value.code == code
