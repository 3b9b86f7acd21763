"""Schemathesis over the whole native API: requests made from the OpenAPI document, good and bad ones, on a real server.

A failure of the server, an answer that is not as the document says, and a status that it does not name are failures.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from antiphon.domain.identity import Role
from programs import BELL
from served import Served, served

pytestmark = [
    pytest.mark.xdist_group("openapi-fuzzing"),
    # Schemathesis draws from `random` in a strategy of its own.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 4
MANY = int(os.environ.get("ANTIPHON_FUZZ_EXAMPLES", "200"))
ENDLESS = frozenset({"/v1/events", "/v1/jobs/{job_id}/events"})
"""Streams: an answer that lasts as long as the caller wants; they are tested by themselves."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, webhooks_allow_private=True) as running:
        yield running


def real_ids(client: httpx2.Client) -> dict[str, list[str]]:
    """What path parameters may name, so that more than 404 is reached: by the parameter's name."""
    jobs = [client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 5}) for _ in range(3)]
    batch = client.post("/v1/jobs", json={"target": "sim.auto", "programs": [BELL] * 3, "shots": 5})
    session = client.post("/v1/sessions", json={"target": "sim.auto"})
    webhook = client.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/hook"})
    key = client.post("/v1/keys", json={"name": "another", "role": "viewer"})
    made = [*jobs, batch, session, webhook, key]
    assert all(answer.is_success for answer in made), [answer.text for answer in made]
    targets = [each["name"] for each in client.get("/v1/targets").json()["targets"]]
    return {
        "job_id": [answer.json()["id"] for answer in (*jobs, batch)],
        "session_id": [session.json()["id"]],
        "webhook_id": [webhook.json()["id"]],
        "key_id": [key.json()["id"]],
        "name": targets,
        "target": targets,
        "subject": ["ada@example.org"],
        "reservation_id": ["res_nothing"],
        "workspace": ["default"],
    }


def fuzz(server: Served, examples: int) -> Counter[int]:
    drawn = int(os.environ.get("ANTIPHON_FUZZ_SEED", int.from_bytes(os.urandom(4))))
    print(f"seed {drawn}")
    with server.client(Role.ADMIN, name=f"fuzz-{drawn}") as client:
        headers = {"Authorization": client.headers["Authorization"]}
        ids = real_ids(client)
    document = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json")
    seen: Counter[int] = Counter()
    failures = []
    for found in document.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.path in ENDLESS:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _fuzz_one(operation, mode, headers, ids, seen, examples, drawn)
            except Unsatisfiable:
                # Whatever is sent to an operation without parameters is right.
                assert mode is GenerationMode.NEGATIVE
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all of them are told at the end
                failures.append(f"{operation.method.upper()} {operation.path} ({mode.value}): {_text(error)}")
    assert not failures, "\n\n".join(failures)
    return seen


def _text(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "\n".join(_text(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"


def _fuzz_one(
    operation: Any,
    mode: GenerationMode,
    headers: dict[str, str],
    ids: dict[str, list[str]],
    seen: Counter[int],
    examples: int,
    drawn: int,
) -> None:
    def signed(request: Any) -> Any:
        # Set last: Schemathesis leaves credentials out of some requests, and those without are another test's.
        request.headers.update(headers)
        return request

    @seed(drawn)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 100))
    def check(case: Any, which: int) -> None:
        for name in case.path_parameters or {}:
            if which % 4 and ids.get(name):
                case.path_parameters[name] = ids[name][which % len(ids[name])]
        case.headers.pop("Authorization", None)
        case.headers.pop("Prefer", None)
        answer = case.call(auth=signed, timeout=30)
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    check()


def _judge(seen: Counter[int]) -> None:
    print(dict(seen))
    assert not [status for status in seen if status >= 500]
    assert seen[200], "nothing was reached"
    assert seen[422], "nothing was refused"


def test_no_request_breaks_the_server_or_its_contract(server: Served) -> None:
    _judge(fuzz(server, EXAMPLES))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_request_of_many_breaks_the_server_or_its_contract(server: Served) -> None:
    _judge(fuzz(server, MANY))
