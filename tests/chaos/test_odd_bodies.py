"""Bodies with odd values in every place: each is refused, and the server goes on."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from abused_server import server, works
from programs import BELL
from real_server import RealServer

__all__ = ["server"]

pytestmark = pytest.mark.xdist_group("server-abuse")


STRINGS = ["\0", "a\0b", "\ud800", "\udfff\ud800", "\u202e", "￿", "a" * 200_000, "", " ", "\r\nX: 1", "{{7*7}}", "%s%n"]
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**63,
    2**64,
    10**300,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    {"a": {}},
]
SAMPLE = {
    "target": "sim.auto",
    "program": {"format": "openqasm3", "source": BELL, "name": "n"},
    "shots": 5,
    "seed": 1,
    "name": "n",
    "metadata": {"k": "v"},
    "options": {"precision": "double", "noise": {"depolarizing_2q": 0.01}},
    "execution": "inline",
    "max_seconds": 5.0,
    "cache": "never",
}
UNITARY = BELL.replace("c = measure q;", "")
ESTIMATE = {"target": "sim.auto", "program": UNITARY, "observables": [{"ZZ": 0.5, "XI": 1.0}], "parameters": {}}
BATCH = {
    "target": "sim.auto",
    "programs": [BELL, {"source": BELL}],
    "pubs": [{"program": 1, "shots": 5}],
    "kind": "batch",
}
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "sample": ("/v1/jobs", SAMPLE),
    "estimate": ("/v1/jobs", ESTIMATE),
    "batch": ("/v1/jobs", BATCH),
    "session": (
        "/v1/sessions",
        {"target": "sim.auto", "name": "n", "key": "k", "idle_limit_s": 60, "total_limit_s": 99},
    ),
    "key": ("/v1/keys", {"name": "n", "role": "viewer", "scopes": ["jobs:read"], "expires_in_s": 60}),
    "webhook": ("/v1/webhooks", {"url": "http://127.0.0.1:9/", "events": ["job.succeeded"]}),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value something can be replaced."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from places(each, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = by
    return changed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", BODIES)
def test_odd_values_in_every_place_of_a_body(server: RealServer, kind: str) -> None:
    path, body = BODIES[kind]
    seen: Counter[int] = Counter()
    with server.client() as client:

        def send(content: str | bytes, what: object) -> httpx2.Response:
            answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
            seen[answer.status_code] += 1
            assert answer.status_code < 500, (what, answer.text[:500])
            return answer

        assert send(json.dumps(body), "nothing odd").is_success
        for place in places(body):
            for odd in [*STRINGS, *VALUES]:
                # As Python writes it: NaN, Infinity, and surrogates as escapes.
                answer = send(json.dumps(replaced(body, place, odd)), (place, str(odd)[:50]))
                if answer.is_success:
                    assert client.get(path).status_code == 200, (place, str(odd)[:50])
        raw = json.dumps(body).encode()
        for changed in (raw.replace(b"sim", b"\xff\xfe"), b"\xef\xbb\xbf" + raw, raw.decode().encode("utf-16")):
            send(changed, changed[:50])
    print(kind, dict(seen))
    works(server)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"target":"sim.auto","options":' + b"[" * 900 + b"]" * 900 + b"}",
        json.dumps({f"k{n}": n for n in range(100_000)}).encode(),
        json.dumps({"target": "sim.auto", "program": BELL, "metadata": {f"k{n}": "" for n in range(100_000)}}).encode(),
        json.dumps({"target": "sim.auto", "program": BELL, "options": {f"k{n}": n for n in range(100_000)}}).encode(),
        json.dumps({"target": "sim.auto", "programs": [BELL] * 20_000}).encode(),
        b'{"shots": ' + b"9" * 100_000 + b"}",
        b'{"target":"sim.auto","program":"","seed": 1e99999}',
        b'{"target": "a", "target": "b", "program": ' + b'"' * 3,
    ],
)
def test_bodies_made_to_be_hard_to_read(server: RealServer, body: bytes) -> None:
    with server.client() as client:
        answer = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text[:500]
        assert len(answer.content) < 20_000
    works(server)
