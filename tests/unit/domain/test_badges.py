from __future__ import annotations

from antiphon.domain.badges import Badge


def badge(passed: int = 2, *failed: str) -> Badge:
    return Badge(
        target="t", version="1", antiphon="1", at=0.0, by="ada", passed=passed, not_applicable=1, failed=failed
    )


def test_it_says_how_the_target_did_as_long_as_that_is_the_same() -> None:
    assert badge().in_words("1") == "passed"
    assert badge(2, "clock", "cancel").in_words("1") == "2 failed"
    assert badge(0).in_words("1") == "nothing checked"
    assert badge().in_words("2") == "stale"
    assert (badge().is_good, badge(0).is_good, badge(1, "clock").is_good) == (True, False, False)
    assert badge(1, "clock").checks == 3


def test_it_survives_json() -> None:
    assert Badge.from_json(badge(1, "clock").to_json()) == badge(1, "clock")
