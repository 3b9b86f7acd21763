from __future__ import annotations

import pytest

from antiphon import errors
from antiphon.client.wire.problems import category_of, error_from_problem
from antiphon.errors import AntiphonError, ConnectionFailedError, LimitError, NotFoundError, RateLimitedError
from antiphon.ports.job_store import VersionConflictError
from antiphon.server.problems import problem_of, status_of

EVERY_CLASS = [
    each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AntiphonError)
]  # fmt: skip


@pytest.mark.parametrize("kind", EVERY_CLASS)
def test_an_error_arrives_as_it_left(kind: type[AntiphonError]) -> None:
    sent = kind("It broke.", code="own-code", cause="because", next_step="mend it", details={"left": 3})
    got = error_from_problem(problem_of(sent), status_of(sent))
    assert type(got) is kind
    assert got.to_dict() == sent.to_dict()


def test_a_class_of_an_inner_layer_arrives_as_the_public_one_above_it() -> None:
    sent = VersionConflictError("Somebody was first.")
    assert category_of(sent) == "conflict"
    got = error_from_problem(problem_of(sent), 409)
    assert (type(got), got.code) == (errors.ConflictError, "version-conflict")


@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [
        ({"category": "from-the-future"}, 404, NotFoundError),
        ({"code": "x"}, 422, LimitError),
        ({}, 429, RateLimitedError),
        ({}, 502, ConnectionFailedError),
        ({"title": 5, "details": "no mapping", "category": ["x"]}, 418, AntiphonError),
    ],
)
def test_a_document_that_names_no_class_gets_it_from_the_status(
    problem: dict[str, object], status: int, kind: type[AntiphonError]
) -> None:
    got = error_from_problem(problem, status)
    assert type(got) is kind
    assert str(status) in got.message


def test_a_fault_of_the_server_can_be_found_in_its_log() -> None:
    got = error_from_problem(problem_of(AntiphonError("Oh."), "req-7"), 500)
    assert got.details["request_id"] == "req-7"
