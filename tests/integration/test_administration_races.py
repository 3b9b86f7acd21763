"""Administrators who act at the same moment, through two engines on one store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.identity import Role
from antiphon.domain.quotas import Dimension, Period
from antiphon.engine.access.limits import list_quotas, set_quota
from antiphon.engine.access.members import list_members, remove_member, save_member
from antiphon.errors import ConflictError
from real_postgres import RealPostgres

ROUNDS = 12


@pytest.fixture(params=["sqlite", "postgresql"])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RunningEngine, RunningEngine]]:
    database = None
    if request.param == "postgresql":
        server: RealPostgres = request.getfixturevalue("postgres_server")
        database = server.database()
    first, second = (build_engine(tmp_path, database=database, dispatch=False) for _ in range(2))
    yield first, second
    second.close()
    first.close()


def at_once(*actions: Callable[[], object]) -> list[BaseException]:
    """Do all at the same moment; what they raised."""
    start = threading.Barrier(len(actions))

    def act(action: Callable[[], object]) -> BaseException | None:
        start.wait(10)
        try:
            action()
        except ConflictError as error:
            return error
        return None

    with ThreadPoolExecutor(len(actions)) as pool:
        return [error for error in pool.map(act, actions) if error is not None]


def test_two_admins_who_remove_each_other_leave_one(engines: tuple[RunningEngine, RunningEngine]) -> None:
    first, second = (engine.ctx for engine in engines)
    for name in ("ada", "bob"):
        save_member(first, workspace="default", subject=name, role=Role.ADMIN, by="root")
    save_member(first, workspace="default", subject="eve", role=Role.VIEWER, by="root")
    for _ in range(ROUNDS):
        refused = at_once(
            lambda: remove_member(first, workspace="default", subject="ada", by="root"),
            lambda: save_member(second, workspace="default", subject="bob", role=Role.VIEWER, by="root"),
        )
        assert [getattr(error, "code", "") for error in refused] == ["last-admin"]
        assert sum(member.role is Role.ADMIN for member in list_members(first, "default")) == 1
        for name in ("ada", "bob"):
            save_member(first, workspace="default", subject=name, role=Role.ADMIN, by="root")


@pytest.mark.parametrize("target", [None, "sim.auto"])
def test_a_quota_set_by_many_at_once_is_one_quota(
    engines: tuple[RunningEngine, RunningEngine], target: str | None
) -> None:
    def setting(number: int) -> Callable[[], object]:
        return lambda: set_quota(
            engines[number % 2].ctx,
            workspace="default",
            dimension=Dimension.SHOTS,
            limit=float(number),
            period=Period.DAY,
            target=target,
            by="root",
        )

    assert at_once(*(setting(number) for number in range(8))) == []
    [standing] = list_quotas(engines[0].ctx, "default")
    assert standing.quota.limit in range(8)
