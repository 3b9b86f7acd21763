"""The queries of the engine's loop and of listings find their rows by an index, in the index's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.store import open_store
from antiphon.adapters.store.statements import Runner, Statement
from antiphon.adapters.store.store import SqlJobStore, SqlTransaction
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import Rank
from antiphon.ports.access_store import AuditQuery
from antiphon.ports.azure_store import AzureQuery
from antiphon.ports.job_store import JobQuery, SessionQuery
from antiphon.ports.webhook_store import DeliveryQuery
from stored_facts import T0, add_job, make_job


class _Planner(Runner):
    """Asks how a query would run, and runs it."""

    __slots__ = ("plans",)

    def rows(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[Any]:
        self._explain(statement, parameters)
        return super().rows(statement, parameters)

    def row(self, statement: Statement, parameters: Sequence[Any] = ()) -> Any:
        self._explain(statement, parameters)
        return super().row(statement, parameters)

    def _explain(self, statement: Statement, parameters: Sequence[Any]) -> None:
        self._cursor.execute("EXPLAIN QUERY PLAN " + statement.text(self._dialect), parameters)
        self.plans: list[str]
        self.plans += [row[3] for row in self._cursor.fetchall()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlJobStore]:
    store = open_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def planner(store: SqlJobStore) -> Iterator[_Planner]:
    engine = store._database.engine
    connection = engine.raw_connection()
    planner = _Planner(connection.cursor(), engine.dialect, writable=False, translate=lambda error: RuntimeError(error))
    planner.plans = []
    yield planner
    connection.close()


@pytest.fixture
def tx(planner: _Planner) -> SqlTransaction:
    return SqlTransaction(planner)


def _assert_uses(planner: _Planner, index: str, times: int = 1) -> None:
    assert len(planner.plans) == times, planner.plans
    for plan in planner.plans:
        assert plan.startswith("SEARCH"), planner.plans
        assert f"INDEX {index} " in plan, planner.plans


def _assert_only_looks_into(planner: _Planner, *indexes: str) -> None:
    looks = [plan for plan in planner.plans if plan.startswith(("SEARCH", "SCAN")) and " jobs " in f"{plan} "]
    assert looks, planner.plans
    for look in looks:
        assert look.startswith("SEARCH"), planner.plans
        assert any(f"INDEX {index} " in look for index in indexes), planner.plans
    assert not any("TEMP B-TREE" in plan for plan in planner.plans), planner.plans


def test_the_oldest_waiting_job(tx: SqlTransaction, planner: _Planner) -> None:
    tx.oldest_waiting(["sim.auto"])
    _assert_only_looks_into(planner, "jobs_waiting_by_age")


def test_what_the_rules_of_a_queue_look_at(tx: SqlTransaction, planner: _Planner) -> None:
    place = ("sim.auto", Rank.STANDARD)
    looks: list[tuple[Any, ...]] = [
        (lambda: tx.has_waiting(*place, None), "jobs_waiting_by_age"),
        (lambda: tx.has_waiting(*place, "default"), "jobs_waiting"),
        (lambda: tx.waiting_classes("sim.auto"), "jobs_waiting_by_age"),
        (lambda: tx.waiting_workspaces(*place), "jobs_waiting"),
        (lambda: tx.waiting_users(*place, "default"), "jobs_waiting"),
        (lambda: tx.first_waiting(*place, "default", "ada"), "jobs_waiting"),
        (lambda: tx.oldest_in_queue("sim.auto", None), "jobs_waiting_by_age"),
        (lambda: tx.oldest_in_queue("sim.auto", "default"), "jobs_waiting"),
        (lambda: tx.others_wait("sim.auto", "default", "ada"), "jobs_waiting"),
        (lambda: tx.work_ahead(*place, "default", "ada", T0, 100), "jobs_waiting", "jobs_waiting_by_age"),
        (lambda: tx.first_of_session("sim.auto", "ses-1"), "jobs_pending"),
    ]
    for look, *indexes in looks:
        planner.plans.clear()
        look()
        _assert_only_looks_into(planner, *indexes)


def test_names_that_wait_are_jumped_to(tx: SqlTransaction, planner: _Planner) -> None:
    tx.targets_waited_for()
    assert any("(target>?)" in plan for plan in planner.plans), planner.plans
    planner.plans.clear()
    tx.waiting_workspaces("sim.auto", Rank.STANDARD)
    assert any("(target=? AND rank=? AND workspace>?)" in plan for plan in planner.plans), planner.plans
    planner.plans.clear()
    tx.waiting_users("sim.auto", Rank.STANDARD, "default")
    wanted = "(target=? AND rank=? AND workspace=? AND created_by>?)"
    assert any(wanted in plan for plan in planner.plans), planner.plans


def test_the_running_jobs_of_a_target(tx: SqlTransaction, planner: _Planner) -> None:
    tx.running_on("sim.auto")
    assert planner.plans == ["SEARCH jobs USING COVERING INDEX jobs_owned (owner>?)"]


def test_queues_and_the_ledger(tx: SqlTransaction, planner: _Planner) -> None:
    for ask, index in (
        (lambda: tx.queue_policy("sim.auto"), "sqlite_autoindex_queue_policies_1"),
        (lambda: tx.queue_state("sim.auto"), "sqlite_autoindex_queue_states_1"),
        (lambda: tx.share("sim.auto", "default", ""), "sqlite_autoindex_shares_1"),
        (lambda: tx.reservations("sim.auto", T0), "reservations_to_come"),
        (lambda: tx.price_list("sim.auto"), "sqlite_autoindex_price_lists_1"),
        (lambda: tx.queue_outcomes("sim.auto", 10), "outcomes_by_target"),
        (lambda: tx.submissions("job-1"), "submissions_by_job"),
        (lambda: tx.open_submissions("sim.auto"), "submissions_open"),
    ):
        planner.plans.clear()
        ask()
        assert f"INDEX {index} " in planner.plans[0], planner.plans
        assert planner.plans[0].startswith("SEARCH"), planner.plans


def test_live_sessions(tx: SqlTransaction, planner: _Planner) -> None:
    tx.live_sessions()
    assert "INDEX sessions_due" in planner.plans[0]


def test_owned_jobs(tx: SqlTransaction, planner: _Planner) -> None:
    tx.owned_jobs("eng-1")
    assert "USING INDEX jobs_owned (owner=?)" in planner.plans[0]


def test_pending_jobs(tx: SqlTransaction, planner: _Planner) -> None:
    tx.pending_jobs("ses-1")
    _assert_uses(planner, "jobs_pending")


def test_the_place_in_the_queue_is_counted_within_the_index(tx: SqlTransaction, planner: _Planner) -> None:
    tx.jobs_before(make_job(), 10)
    _assert_only_looks_into(planner, "jobs_waiting_by_age", "jobs_waiting")
    older = "INDEX jobs_waiting_by_age (target=? AND rank=? AND (created_at,id)<(?,?))"
    assert any(older in plan for plan in planner.plans), planner.plans


def test_due_sessions(tx: SqlTransaction, planner: _Planner) -> None:
    tx.due_sessions(T0)
    assert "USING INDEX sessions_due (due_at<?)" in planner.plans[0]


def test_jobs_and_sessions_by_key(tx: SqlTransaction, planner: _Planner) -> None:
    tx.job_by_key("default", "k")
    _assert_uses(planner, "jobs_by_key")
    planner.plans.clear()
    tx.succeeded_work("default", "w")
    _assert_uses(planner, "jobs_by_work")
    planner.plans.clear()
    tx.session_by_key("default", "k")
    _assert_uses(planner, "sessions_by_key")


def test_events_and_items_of_one_subject(tx: SqlTransaction, planner: _Planner) -> None:
    tx.events("job-1")
    _assert_uses(planner, "events_by_subject")
    planner.plans.clear()
    tx.items("job-1")
    _assert_uses(planner, "sqlite_autoindex_batch_items_1")


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("before", [None, (T0, "job-1")])
@pytest.mark.parametrize(
    ("conditions", "index"),
    [
        ({}, "jobs_by_age"),
        ({"target": "sim.auto"}, "jobs_by_target"),
        ({"target": "sim.auto", "created_before": T0}, "jobs_by_target"),
        ({"name": "a"}, "jobs_by_name"),
        ({"name": "a", "target": "sim.auto", "status": JobStatus.FAILED}, "jobs_by_name"),
        ({"created_after": T0}, "jobs_by_age"),
        ({"status": JobStatus.FAILED}, "jobs_by_status"),
        ({"session_id": "ses-1"}, "jobs_by_session"),
        ({"session_id": "ses-1", "name": "a", "status": JobStatus.FAILED}, "jobs_by_session"),
    ],
)
def test_listings_come_in_the_order_of_an_index(
    tx: SqlTransaction,
    planner: _Planner,
    conditions: dict[str, Any],
    index: str,
    before: tuple[float, str] | None,
    oldest_first: bool,
) -> None:
    tx.find_jobs(JobQuery("default", before=before, oldest_first=oldest_first, **conditions))
    _assert_uses(planner, index)


def test_sessions_come_in_the_order_of_an_index(tx: SqlTransaction, planner: _Planner) -> None:
    tx.find_sessions(SessionQuery("default"))
    _assert_uses(planner, "sessions_by_age")


def test_a_prefix_that_tells_much_is_looked_up(tx: SqlTransaction, planner: _Planner) -> None:
    tx.find_jobs(JobQuery("default", id_prefix="job_01K9ZZZZZZ", status=JobStatus.FAILED))
    assert "sqlite_autoindex_jobs_1 (id>? AND id<?)" in planner.plans[0], planner.plans


@pytest.mark.parametrize(("failed_there", "failed_elsewhere", "index"), [(3, 0, "status"), (1, 5, "target")])
def test_status_and_target_are_looked_up_by_what_is_rarer(
    store: SqlJobStore, planner: _Planner, failed_there: int, failed_elsewhere: int, index: str
) -> None:
    for target, failed, others in (("sim.auto", failed_there, 2), ("sim.mps", failed_elsewhere, 2)):
        for number in range(failed + others):
            add_job(store, target=target, status=JobStatus.FAILED if number < failed else JobStatus.SUCCEEDED)
    found = SqlTransaction(planner).find_jobs(JobQuery("default", status=JobStatus.FAILED, target="sim.auto"))
    assert len(found) == failed_there
    assert f"INDEX jobs_by_{index} " in planner.plans[-1], planner.plans


def test_counting_reads_counters_and_no_jobs(tx: SqlTransaction, planner: _Planner) -> None:
    for workspace, target in ((None, None), ("default", None), (None, "sim.auto"), ("default", "sim.auto")):
        planner.plans.clear()
        tx.count_jobs(workspace, target=target)
        counters, held = [plan for plan in planner.plans if plan.startswith(("SCAN", "SEARCH"))]
        assert "job_counts" in counters
        assert held == "SEARCH jobs USING INDEX jobs_owned (owner>?)"
    planner.plans.clear()
    tx.queue_depths()
    looks = [plan for plan in planner.plans if plan.startswith(("SCAN", "SEARCH"))]
    assert looks == ["SCAN job_counts", "SEARCH jobs USING INDEX jobs_owned (owner>?)"], planner.plans


def test_what_every_request_and_every_job_asks_is_one_look_at_an_index(tx: SqlTransaction, planner: _Planner) -> None:
    for ask, index in (
        (lambda: tx.key("key-1"), "sqlite_autoindex_api_keys_1"),
        (lambda: tx.quotas("default"), "quotas_by_workspace"),
        (lambda: tx.quota_use("quo-1", T0), "sqlite_autoindex_quota_use_1"),
        (lambda: tx.endpoints("default"), "webhook_endpoints_by_workspace"),
        (lambda: tx.azure_item("default", "Job", "1"), "sqlite_autoindex_azure_items_1"),
        (lambda: tx.azure_item_of("job-1"), "azure_items_by_subject"),
        (lambda: tx.azure_blob("job-1", "inputData"), "sqlite_autoindex_azure_blobs_1"),
        (lambda: tx.memberships(["https://id#1"]), "members_by_subject"),
    ):
        planner.plans.clear()
        ask()
        assert f"INDEX {index} " in planner.plans[0], planner.plans
        assert planner.plans[0].startswith("SEARCH"), planner.plans


def test_following_the_log_reads_only_what_is_new(tx: SqlTransaction, planner: _Planner) -> None:
    tx.events_after(17, 100)
    assert planner.plans == ["SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"]
    planner.plans.clear()
    tx.last_seq()
    assert planner.plans == ["SEARCH events"]
    planner.plans.clear()
    tx.workspace_events("default", 17, 1_017)
    assert planner.plans[0] == "SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    assert [plan for plan in planner.plans if plan.startswith(("SEARCH", "SCAN"))][1:] == [
        "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)",
        "SEARCH sessions USING INDEX sqlite_autoindex_sessions_1 (id=?)",
    ]


def test_due_deliveries(tx: SqlTransaction, planner: _Planner) -> None:
    tx.due_deliveries(T0, 10)
    assert "USING INDEX webhook_deliveries_due (next_at<?)" in planner.plans[0]


@pytest.mark.parametrize(
    ("conditions", "index"),
    [
        ({}, "webhook_deliveries_by_age"),
        ({"before": (T0, "msg-1")}, "webhook_deliveries_by_age"),
        ({"endpoint": "whe-1"}, "webhook_deliveries_by_endpoint"),
    ],
)
def test_deliveries_come_in_the_order_of_an_index(
    tx: SqlTransaction, planner: _Planner, conditions: dict[str, Any], index: str
) -> None:
    tx.find_deliveries(DeliveryQuery("default", **conditions))
    _assert_uses(planner, index)


@pytest.mark.parametrize("conditions", [{}, {"who": "ada"}, {"action": "key."}, {"before_seq": 17}, {"after": T0}])
def test_the_audit_log_comes_in_the_order_of_an_index(
    tx: SqlTransaction, planner: _Planner, conditions: dict[str, Any]
) -> None:
    tx.audit(AuditQuery("default", **conditions))
    _assert_uses(planner, "audit_by_workspace")


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("conditions", "index"),
    [
        ({}, "azure_items_by_age"),
        ({"outside_sessions": True}, "azure_items_by_age"),
        ({"statuses": ("Waiting",)}, "azure_items_by_age"),
        ({"kinds": ("Job",)}, "azure_items_by_age"),
        ({"kinds": ("Job",), "session": "s-1"}, "azure_items_by_session"),
    ],
)
def test_azure_items_come_in_the_order_of_an_index(
    tx: SqlTransaction, planner: _Planner, conditions: dict[str, Any], index: str, descending: bool
) -> None:
    tx.find_azure_items(AzureQuery("default", descending=descending, **conditions))
    assert f"INDEX {index} " in planner.plans[0], planner.plans
    assert not any("ORDER BY" in plan for plan in planner.plans), planner.plans
    assert not any(plan.startswith("SCAN") for plan in planner.plans), planner.plans


def test_usage_reads_only_its_time(tx: SqlTransaction, planner: _Planner) -> None:
    tx.usage("default", T0, T0 + 86_400)
    assert "INDEX jobs_by_age (workspace=? AND created_at>? AND created_at<?)" in planner.plans[0]


def test_empty_containers(tx: SqlTransaction, planner: _Planner) -> None:
    tx.empty_containers(T0, 10)
    assert "INDEX azure_containers_by_age" in planner.plans[0]
    assert any("INDEX azure_items_by_container" in plan for plan in planner.plans), planner.plans
