import pytest

from antiphon.domain.mitigation import Mitigation, ReadoutCorrection, Twirling, ZeroNoiseExtrapolation
from antiphon.errors import ProgramError


def test_each_method_has_short_forms() -> None:
    asked = Mitigation(readout=True, twirling=4, zne=(1, 3), dynamical_decoupling=True)
    assert asked.readout == ReadoutCorrection()
    assert asked.twirling == Twirling(randomizations=4)
    assert asked.zne == ZeroNoiseExtrapolation(factors=(1.0, 3.0))
    assert asked.dynamical_decoupling == "XX"
    assert asked.sentinel == 0.1


def test_json_there_and_back() -> None:
    asked = Mitigation(
        readout={"shots": 500}, twirling={"measure": False}, zne={"factors": [1, 2, 3], "extrapolation": "polynomial"}
    )
    assert Mitigation.from_json(asked.to_json()) == asked
    assert asked.to_json()["zne"]["factors"] == [1.0, 2.0, 3.0]
    assert "pec" not in asked.to_json()


def test_nothing_asked_for_is_false() -> None:
    assert not Mitigation()
    assert not Mitigation.from_json({"readout": False, "twirling": None})
    assert Mitigation(pec=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"redout": True}, "no mitigation called 'redout'"),
        ({"readout": "yes"}, "it is 'yes'"),
        ({"readout": {"methd": "local"}}, "no setting 'methd'"),
        ({"readout": {"method": "magic"}}, "method is 'magic'"),
        ({"readout": {"method": "twirled"}}, "measurements are not twirled"),
        ({"readout": {"shots": 3}}, "shots is 3"),
        ({"twirling": 1}, "randomizations is 1"),
        ({"twirling": {"gates": False, "measure": False}}, "neither gates nor measurements"),
        ({"twirling": {"gates": 1}}, "gates is 1"),
        ({"dynamical_decoupling": "ABBA"}, "sequence is 'ABBA'"),
        ({"zne": [1]}, "factors is [1]"),
        ({"zne": [3, 1]}, "factors is [3, 1]"),
        ({"zne": [2, 3]}, "factors is [2, 3]"),
        ({"zne": {"factors": "13"}}, "factors is '13'"),
        ({"zne": {"extrapolation": "magic"}}, "extrapolation is 'magic'"),
        ({"zne": {"folding": "origami"}}, "folding is 'origami'"),
        ({"zne": {"degree": 1}}, "only a polynomial has a degree"),
        ({"zne": {"extrapolation": "polynomial", "degree": 2}}, "degree is 2"),
        ({"pec": True, "zne": True}, "zne is asked for too"),
        ({"pec": {"randomizations": 2.5}}, "randomizations is 2.5"),
        ({"sentinel": 0.9}, "it is 0.9"),
        ([1, 3], "no set of methods"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(given: object, said: str) -> None:
    with pytest.raises(ProgramError, match="mitigation") as refused:
        Mitigation.from_json(given)
    assert said in f"{refused.value.message} {refused.value.cause}"
    assert refused.value.code == "mitigation-invalid"
    assert refused.value.next_step


def test_the_degree_of_what_is_fitted() -> None:
    assert ZeroNoiseExtrapolation().polynomial_degree == 1
    assert ZeroNoiseExtrapolation(factors=(1, 2, 3), extrapolation="polynomial").polynomial_degree == 2
    assert ZeroNoiseExtrapolation(factors=(1, 2, 3), extrapolation="polynomial", degree=1).polynomial_degree == 1
    assert ZeroNoiseExtrapolation(extrapolation="exponential").polynomial_degree is None
