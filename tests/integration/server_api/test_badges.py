"""Badges over HTTP: who gives them, who sees what of them, and the line in the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import Workspace
from antiphon.domain.identity import Role
from served import Served

BADGE = "/v1/targets/sim.mps/badge"
FOUND: dict[str, Any] = {
    "version": "sim-0", "antiphon": "9.9", "passed": 3, "not_applicable": 1, "failed": ["bit-order"],
}  # fmt: skip


def test_an_operator_gives_a_badge_and_everybody_sees_it(server: Served) -> None:
    with server.client(Role.OPERATOR, name="olga") as operator:
        given = operator.put(BADGE, json=FOUND)
        assert given.status_code == 200, given.text
        assert given.json()["outcome"] == "stale"
        assert given.json()["by"] == "olga"
        version = operator.get("/v1/targets/sim.mps").json()["version"]
        assert operator.put(BADGE, json={**FOUND, "version": version}).json()["outcome"] == "1 failed"
        good = operator.put(BADGE, json={**FOUND, "version": version, "failed": []}).json()
        assert good["outcome"] == "passed"
        lines = operator.get("/v1/audit", params={"action": "target.badge"}).json()["entries"]
        assert [line["details"]["outcome"] for line in lines] == ["passed", "1 failed", "1 failed"]
    with server.client(Role.VIEWER, name="vera") as viewer:
        seen = viewer.get("/v1/targets/sim.mps").json()["badge"]
        assert {**seen, "by": "olga"} == good
        assert seen["by"] == ""
        listed = {each["name"]: each["badge"] for each in viewer.get("/v1/targets").json()["targets"]}
        assert listed["sim.mps"] == seen
        assert listed["sim.auto"] is None
    with Workspace(server.url, api_key=server.key()) as workspace:
        badge = workspace.target("sim.mps").badge
        assert badge is not None
        assert badge.is_good
        assert badge.checks == 4


@pytest.mark.parametrize(
    "change", [{"passed": -1}, {"passed": 10**6}, {"failed": ["x"] * 1001}, {"version": ""}, {"antiphon": "a\0b"}]
)
def test_what_no_kit_reports_is_refused(server: Served, change: dict[str, Any]) -> None:
    with server.client(Role.OPERATOR) as operator:
        assert operator.put(BADGE, json={**FOUND, **change}).status_code == 422
        assert operator.put("/v1/targets/sim.none/badge", json=FOUND).status_code == 404
    with server.client(Role.SUBMITTER) as member:
        assert member.put(BADGE, json=FOUND).status_code == 403
