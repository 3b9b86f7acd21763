"""Keys, members, quotas, usage and the audit log over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest

from antiphon.domain.identity import Role
from programs import BELL
from served import Served

EVE = quote("https://issuer.example#eve", safe="")
JOB = {"target": "sim.auto", "program": BELL, "shots": 10}


@pytest.fixture
def admin(server: Served, request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    """An admin of a workspace that no other test has."""
    workspace = f"t-{abs(hash(request.node.name)) % 10**9}"
    with server.client(Role.ADMIN, workspace=workspace, name="root") as client:
        yield client


def with_key(admin: httpx2.Client, key: str) -> httpx2.Client:
    return httpx2.Client(
        base_url=admin.base_url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30
    )


def key_of(admin: httpx2.Client, role: str, **more: object) -> dict[str, str]:
    made = admin.post("/v1/keys", json={"name": "ada", "role": role, **more})
    assert made.status_code == 201, made.text
    found: dict[str, str] = made.json()
    return found


def test_who_am_i_takes_any_key(admin: httpx2.Client) -> None:
    key = key_of(admin, "admin", scopes=["webhooks:write"])
    with with_key(admin, key["key"]) as client:
        who = client.get("/v1/whoami").json()
        assert who == {
            "workspace": who["workspace"],
            "who": "ada",
            "role": "admin",
            "scopes": ["webhooks:write"],
            "via": f"key:{key['id']}",
        }
        assert client.get("/v1/workspace").status_code == 403


def test_a_key_is_made_used_revoked_and_at_once_useless(admin: httpx2.Client) -> None:
    made = admin.post("/v1/keys", json={"name": "ada", "role": "submitter", "expires_in_s": 60})
    assert made.headers["cache-control"] == "private, no-store"
    key = made.json()
    with with_key(admin, key["key"]) as client:
        assert client.get("/v1/jobs").status_code == 200
        assert admin.get(made.headers["location"]).json()["live"] is True
        assert key["key"] not in admin.get("/v1/keys").text
        assert admin.delete(f"/v1/keys/{key['id']}").json()["live"] is False
        assert admin.delete(f"/v1/keys/{key['id']}").status_code == 200
        refused = client.get("/v1/jobs")
    assert (refused.status_code, refused.json()["code"]) == (401, "key-revoked")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "role": "viewer"},
        {"name": "a\x00b", "role": "viewer"},
        {"name": "ada", "role": "emperor"},
        {"name": "ada", "role": "viewer", "scopes": ["keys:write"]},
        {"name": "ada", "role": "viewer", "expires_in_s": 0},
        {"name": "ada", "role": "viewer", "expires_in_s": 1e300},
        {"name": "ada", "role": "viewer", "surprise": 1},
    ],
)
def test_a_body_of_no_key_is_refused(admin: httpx2.Client, body: dict[str, object]) -> None:
    assert admin.post("/v1/keys", json=body).status_code == 422


def test_a_clerk_gives_away_no_more_than_it_has(admin: httpx2.Client) -> None:
    clerk = key_of(admin, "admin", scopes=["keys:write", "members:write", "jobs:read"])
    with with_key(admin, clerk["key"]) as client:
        refused = client.post("/v1/keys", json={"name": "mallory", "role": "admin"})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope-not-held")
        assert client.put(f"/v1/members/{EVE}", json={"role": "admin"}).status_code == 403
        assert client.post("/v1/keys", json={"name": "bob", "role": "viewer"}).status_code == 201


def test_members_are_put_and_removed(admin: httpx2.Client) -> None:
    assert admin.get(f"/v1/members/{EVE}").status_code == 404
    assert admin.put(f"/v1/members/{EVE}", json={"role": "admin", "name": "Eve"}).status_code == 201
    assert admin.put("/v1/members/bob@example.org", json={"role": "viewer"}).status_code == 201
    assert admin.put(f"/v1/members/{EVE}", json={"role": "viewer"}).json()["code"] == "last-admin"
    assert admin.put("/v1/members/bob@example.org", json={"role": "operator"}).status_code == 200
    assert [member["name"] for member in admin.get("/v1/members").json()["members"]] == ["Eve", "bob@example.org"]
    assert admin.get(f"/v1/members/{EVE}").json()["subject"] == "https://issuer.example#eve"
    assert admin.delete("/v1/members/bob@example.org").status_code == 204
    assert admin.delete("/v1/members/bob@example.org").status_code == 404
    assert admin.delete("/v1/members/a%00b").status_code == 404


def test_a_refusal_says_which_quota_what_is_left_and_when_it_resets(admin: httpx2.Client) -> None:
    made = admin.post("/v1/quotas", json={"dimension": "shots", "limit": 25, "period": "day"})
    assert made.status_code == 201
    submitter = with_key(admin, key_of(admin, "submitter")["key"])
    assert [submitter.post("/v1/jobs", json=JOB).status_code for _ in range(2)] == [202, 202]
    refused = submitter.post("/v1/jobs", json=JOB)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota-exceeded")
    details = refused.json()["details"]
    assert (details["dimension"], details["limit"], details["remaining"]) == ("shots", 25.0, 5.0)
    assert details["resets_at"].endswith("T00:00:00Z")
    standing = submitter.get(made.headers["location"]).json()
    assert (standing["used"], standing["held"], standing["remaining"]) == (20.0, 0.0, 5.0)
    assert submitter.post("/v1/quotas", json={"dimension": "shots", "limit": 1e9}).status_code == 403
    assert submitter.delete(made.headers["location"]).status_code == 403
    again = admin.post("/v1/quotas", json={"dimension": "shots", "limit": 30, "period": "day"})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert submitter.post("/v1/jobs", json=JOB).status_code == 202
    assert admin.delete(made.headers["location"]).status_code == 204
    assert admin.get("/v1/quotas").json() == {"quotas": []}
    submitter.close()


def test_usage_counts_what_was_submitted(admin: httpx2.Client) -> None:
    assert admin.get("/v1/usage").json()["total"]["jobs"] == 0
    assert admin.post("/v1/jobs", json=JOB, headers={"Prefer": "wait=30"}).status_code == 202
    for by, key in (("target", "sim.auto"), ("user", "root")):
        usage = admin.get("/v1/usage", params={"by": by}).json()
        assert [(each["key"], each["shots"]) for each in usage["sums"]] == [(key, 10)]
    [day] = admin.get("/v1/usage", params={"by": "day", "days": 1}).json()["sums"]
    assert day["key"].endswith("T00:00:00.000000Z")
    assert admin.get("/v1/usage", params={"before": "2001-01-01"}).json()["total"]["jobs"] == 0
    for bad in ({"days": 0}, {"after": "0001-01-01"}, {"before": "9999-12-31T23:59:59-23:59"}, {"by": "colour"}):
        assert admin.get("/v1/usage", params=bad).status_code == 422


def test_the_audit_log_is_read_page_by_page(admin: httpx2.Client) -> None:
    for _ in range(4):
        key_of(admin, "viewer")
    admin.delete("/v1/keys/" + key_of(admin, "viewer")["id"])
    first = admin.get("/v1/audit", params={"limit": 4}).json()
    second = admin.get(first["next"]).json()
    lines = [*first["entries"], *second["entries"]]
    # The workspace and the admin's own key were made on the machine.
    assert [line["action"] for line in lines] == [
        "key.revoke", *["key.create"] * 6, "workspace.create"
    ]  # fmt: skip
    assert second["next"] is None
    assert [line["where"] for line in lines] == ["127.0.0.1"] * 6 + ["local"] * 2
    seqs = [line["seq"] for line in lines]
    assert seqs == sorted(set(seqs), reverse=True)
    revoked = admin.get("/v1/audit", params={"action": "key.revoke", "who": "root"}).json()["entries"]
    assert len(revoked) == 1
    assert admin.get("/v1/audit", params={"after": "2999-01-01"}).json()["entries"] == []
    for bad in ({"cursor": "x"}, {"limit": 0}, {"who": "a\0b"}, {"action": "é"}, {"after": "soon"}):
        assert admin.get("/v1/audit", params=bad).status_code == 422
    with with_key(admin, key_of(admin, "submitter")["key"]) as client:
        assert client.get("/v1/audit").status_code == 403


def test_a_stranger_finds_nothing_of_another_workspace(server: Served, admin: httpx2.Client) -> None:
    key, quota = key_of(admin, "viewer"), admin.post("/v1/quotas", json={"dimension": "shots", "limit": 5}).json()
    admin.put(f"/v1/members/{EVE}", json={"role": "admin"})
    with server.client(Role.ADMIN, workspace="strangers") as stranger:
        for method, path in (
            ("GET", f"/v1/keys/{key['id']}"),
            ("DELETE", f"/v1/keys/{key['id']}"),
            ("GET", f"/v1/members/{EVE}"),
            ("DELETE", f"/v1/members/{EVE}"),
            ("GET", f"/v1/quotas/{quota['id']}"),
            ("DELETE", f"/v1/quotas/{quota['id']}"),
        ):
            assert stranger.request(method, path).status_code == 404, path
        for path in ("/v1/keys", "/v1/members", "/v1/quotas", "/v1/audit", "/v1/usage"):
            text = stranger.get(path).text
            assert key["id"] not in text
            assert quota["id"] not in text
            assert "issuer.example" not in text
    assert admin.get(f"/v1/keys/{key['id']}").json()["live"] is True
    assert admin.get(f"/v1/quotas/{quota['id']}").status_code == 200


def test_without_a_key_nothing_opens(admin: httpx2.Client) -> None:
    with httpx2.Client(base_url=admin.base_url, trust_env=False) as nobody:
        for path in ("whoami", "workspace", "keys", "members", "quotas", "usage", "audit"):
            assert nobody.get(f"/v1/{path}").status_code == 401
