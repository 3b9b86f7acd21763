import pytest

from antiphon.domain.allocation import ShotAllocation
from antiphon.errors import LimitError


def test_what_an_option_says() -> None:
    assert ShotAllocation.from_json(None) is None
    assert ShotAllocation.from_json("coefficients") is None
    assert ShotAllocation.from_json("variance") == ShotAllocation()
    asked = ShotAllocation(precision=0.01, pilot=0.2)
    assert ShotAllocation.from_json(asked.to_json()) == asked


@pytest.mark.parametrize(
    "given", ["luck", 3, {"precision": 0}, {"precision": "fine"}, {"pilot": 0.9}, {"pilots": 0.1}, {"precision": True}]
)
def test_what_cannot_be_is_refused(given: object) -> None:
    with pytest.raises(LimitError) as refused:
        ShotAllocation.from_json(given)
    assert refused.value.code == "shots-invalid"
    assert refused.value.next_step
