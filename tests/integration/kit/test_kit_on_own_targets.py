"""Every target of ours passes the contract kit, and keeps the badge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from antiphon import Workspace
from antiphon.client.kit import CHECKS, Outcome
from antiphon.composition import load_drivers
from antiphon.domain.identity import Role
from antiphon.engine.access.keys import create_key
from workspaces import SharedServer, shared_server

__all__ = ["shared_server"]

DEVICE_ONLY = {"delays", "calibration"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace(tmp_path_factory.mktemp("lab"), workers=2) as opened:
        yield opened


@pytest.mark.parametrize("name", sorted(load_drivers()))
def test_it_passes(workspace: Workspace, name: str) -> None:
    target = workspace.target(name)
    report = target.verify()
    assert report.failed == ()
    passed = {result.name for result in report.results if result.outcome is Outcome.PASSED}
    missing = {check.name for check in CHECKS} - passed
    allowed = {"angles"} if target.info.device is None else {"angles", "delays", "seeds"}
    assert missing <= allowed | (DEVICE_ONLY if target.info.device is None else set())
    badge = workspace.target(name).badge
    assert badge is not None
    assert badge.in_words(target.info.version) == "passed"
    assert badge.checks == len(CHECKS)


def test_it_passes_behind_a_server_where_operators_leave_the_badge(shared_server: SharedServer) -> None:
    with Workspace(shared_server.server.url, api_key=shared_server.new_key()) as workspace:
        report = workspace.target("sim.auto").verify()
        assert report.failed == ()
        assert report.badge is None
        assert "all workspaces share the targets" in report.not_stored
        assert workspace.target("sim.auto").badge is None
    _, key = create_key(shared_server.engine.ctx, workspace="default", name="olga", role=Role.OPERATOR, by="tests")
    with Workspace(shared_server.server.url, api_key=key) as workspace:
        report = workspace.target("sim.auto").verify()
        assert report.badge is not None
        assert report.badge.by == "olga"
        assert workspace.target("sim.auto").badge == report.badge
