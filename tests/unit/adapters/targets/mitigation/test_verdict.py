import json

from antiphon.adapters.targets.mitigation.verdict import Measurement, judge, overall

HELPED = (Measurement(0.8, 0.01, 0.99, 0.02, 0.015), 1.0)


def test_it_helps_where_the_value_moved_and_the_sentinel_came_nearer() -> None:
    found = judge(Measurement(0.5, 0.01, 0.6, 0.02, 0.015), -1, 1, HELPED)
    assert found["verdict"] == "helps"
    assert found["shift_z"] > 2
    assert found["sentinel"]["gain_z"] > 2


def test_no_evidence_where_nothing_moved() -> None:
    found = judge(Measurement(0.5, 0.01, 0.51, 0.02, 0.015), -1, 1, HELPED)
    assert found["verdict"] == "no evidence"
    assert "no farther than noise" in found["why"]


def test_no_evidence_where_the_sentinel_is_as_wrong_as_before() -> None:
    sentinel = (Measurement(0.98, 0.01, 1.01, 0.02, 0.015), 1.0)
    assert judge(Measurement(0.5, 0.01, 0.6, 0.02, 0.015), -1, 1, sentinel)["verdict"] == "no evidence"


def test_no_evidence_without_a_sentinel() -> None:
    found = judge(Measurement(0.5, 0.01, 0.6, 0.02, 0.015), -1, 1, "none was asked for")
    assert found["verdict"] == "no evidence"
    assert "none was asked for" in found["why"]


def test_it_harms_where_the_sentinel_became_worse() -> None:
    sentinel = (Measurement(0.9, 0.01, 0.5, 0.02, 0.015), 1.0)
    assert judge(Measurement(0.5, 0.01, 0.6, 0.02, 0.015), -1, 1, sentinel)["verdict"] == "harms"


def test_too_much_on_the_other_side_harms() -> None:
    sentinel = (Measurement(0.99, 0.01, 1.3, 0.02, 0.015), 1.0)
    assert judge(Measurement(0.5, 0.01, 0.6, 0.02, 0.015), -1, 1, sentinel)["verdict"] == "harms"


def test_an_impossible_value_harms_whatever_the_sentinel_says() -> None:
    found = judge(Measurement(0.9, 0.01, 1.4, 0.02, 0.015), -1, 1, HELPED)
    assert found["verdict"] == "harms"
    assert "outside of the range" in found["why"]


def test_a_value_of_which_nothing_can_be_said_is_harmed() -> None:
    found = judge(Measurement(0.9, 0.01, 0.2, 1.2, 1.2), -1, 1, HELPED)
    assert found["verdict"] == "harms"
    assert "whole range" in found["why"]


def test_figures_are_json_even_without_noise() -> None:
    found = judge(Measurement(1.0, 0.0, 1.0, 0.0, 0.0), -1, 1, (Measurement(1.0, 0.0, 0.5, 0.0, 0.0), 1.0))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_one_word_for_many() -> None:
    helps, none, harms = ({"verdict": word} for word in ("helps", "no evidence", "harms"))
    assert overall([none, helps]) == "helps"
    assert overall([helps, harms]) == "harms"
    assert overall([none]) == "no evidence"
