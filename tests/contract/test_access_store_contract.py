from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.domain.identity import ApiKey, AuditEntry, Member, Role, Scope, Tenant
from antiphon.domain.jobs import JobEvent, JobTrigger, advance
from antiphon.domain.quotas import Dimension, Period, Quota, QuotaUse
from antiphon.errors import ConflictError
from antiphon.ports.access_store import AuditQuery, UsageLine
from antiphon.ports.job_store import JobStore
from stored_facts import T0, add_job, add_session, claim, success


def _key(number: int = 1, **changes: object) -> ApiKey:
    key = ApiKey(
        id=f"key-{number}",
        workspace="default",
        name="ci é",
        role=Role.SUBMITTER,
        scopes=frozenset({Scope.JOBS_READ, Scope.JOBS_WRITE}),
        secret_hash="ab" * 32,
        created_at=T0 + number,
        created_by="ada",
    )
    return dataclasses.replace(key, **changes)  # type: ignore[arg-type]


def _quota(number: int = 1, **changes: object) -> Quota:
    quota = Quota(id=f"quo-{number}", workspace="default", dimension=Dimension.SHOTS, limit=1e6, period=Period.DAY)
    return dataclasses.replace(quota, **changes)  # type: ignore[arg-type]


def _member(subject: str, name: str, **changes: object) -> Member:
    member = Member(workspace="default", subject=subject, name=name, role=Role.VIEWER, added_at=T0, added_by="ada")
    return dataclasses.replace(member, **changes)  # type: ignore[arg-type]


def test_the_name_of_a_tenant_is_taken_once(store: JobStore) -> None:
    lab = Tenant(name="lab", title="The lab", created_at=T0, created_by="ada")
    with store.write() as tx:
        assert tx.add_tenant(lab)
        assert tx.add_tenant(dataclasses.replace(lab, name="Zoo"))
        assert not tx.add_tenant(dataclasses.replace(lab, title="Another"))
    with store.read() as tx:
        assert tx.tenant("lab") == lab
        assert tx.tenant("none") is None
        assert [tenant.name for tenant in tx.tenants()] == ["Zoo", "lab"]


def test_members_come_change_and_go(store: JobStore) -> None:
    ada, bob = _member("https://id#1", "Ada"), _member("bob@lab.org", "Bob")
    elsewhere = _member("bob@lab.org", "Bob", workspace="other", role=Role.ADMIN)
    operator = dataclasses.replace(bob, role=Role.OPERATOR, name="Aaron")
    with store.write() as tx:
        for member in (bob, ada, elsewhere):
            tx.save_member(member)
        assert tx.members("default") == [ada, bob]
        tx.save_member(operator)
    with store.read() as tx:
        assert tx.members("default") == [operator, ada]
        assert tx.members("none") == []
        assert tx.memberships(["nobody", "bob@lab.org", "bob@lab.org"]) == [operator, elsewhere]
        assert tx.memberships(["https://id#1", "bob@lab.org"]) == [ada, operator, elsewhere]
        assert tx.memberships([]) == []
    with store.write() as tx:
        assert not tx.remove_member("none", "bob@lab.org")
        assert tx.remove_member("default", "bob@lab.org")
        assert not tx.remove_member("default", "bob@lab.org")
        assert tx.memberships(["bob@lab.org"]) == [elsewhere]


def test_a_key_comes_back_as_it_was_stored(store: JobStore) -> None:
    first, second, elsewhere = _key(1), _key(2, expires_at=T0 + 9.5), _key(3, workspace="other", scopes=frozenset())
    with store.write() as tx:
        for key in (first, second, elsewhere):
            tx.add_key(key)
        assert tx.key(second.id) == second
    with store.read() as tx:
        assert [tx.key(key.id) for key in (first, second, elsewhere)] == [first, second, elsewhere]
        assert tx.key("key-unknown") is None
        assert tx.keys("default") == [second, first]
        assert tx.keys("other") == [elsewhere]
        assert tx.count_keys() == 3


def test_of_a_key_only_its_times_change(store: JobStore) -> None:
    key = _key()
    revoked = dataclasses.replace(key, revoked_at=T0 + 5, expires_at=T0 + 4, last_used_at=T0 + 3)
    with store.write() as tx:
        tx.add_key(key)
        tx.save_key(dataclasses.replace(revoked, role=Role.ADMIN, workspace="other", secret_hash="cd" * 32))
    with store.read() as tx:
        assert tx.key(key.id) == revoked
        assert tx.keys("default") == [revoked]
        assert tx.count_keys() == 0


def test_a_use_of_a_key_waits_for_its_revocation(store: JobStore, open_another: Callable[[], JobStore]) -> None:
    key, other = _key(), open_another()
    with store.write() as tx:
        tx.add_key(key)
    seen: list[ApiKey | None] = []

    def use() -> None:
        with other.write() as tx:
            seen.append(tx.key(key.id))

    thread = threading.Thread(target=use)
    with store.write() as tx:
        found = tx.key(key.id)
        assert found is not None
        thread.start()
        tx.save_key(dataclasses.replace(found, revoked_at=T0 + 5))
    thread.join(20)
    assert seen == [dataclasses.replace(key, revoked_at=T0 + 5)]


def test_quotas_are_of_one_workspace(store: JobStore) -> None:
    first = _quota(1, target="sim.mps", period=Period.NONE, dimension=Dimension.TARGET_SECONDS, limit=0.5)
    second, elsewhere = _quota(2), _quota(3, workspace="other")
    with store.write() as tx:
        for quota in (second, first, elsewhere):
            tx.save_quota(quota)
    with store.read() as tx:
        assert tx.quotas("default") == [first, second]
        assert tx.quotas("other") == [elsewhere]
        assert tx.quotas("none") == []
    with pytest.raises(ConflictError), store.write() as tx:
        tx.save_quota(dataclasses.replace(elsewhere, workspace="default", limit=1.0))
    with store.read() as tx:
        assert tx.quotas("other") == [elsewhere]


def test_a_changed_limit_keeps_what_is_used(store: JobStore) -> None:
    quota = _quota()
    with store.write() as tx:
        tx.save_quota(quota)
        tx.change_quota_use(quota.id, T0, used=2.5, held=7.0)
        tx.save_quota(dataclasses.replace(quota, limit=5.0))
    with store.read() as tx:
        assert tx.quotas("default") == [dataclasses.replace(quota, limit=5.0)]
        assert tx.quota_use(quota.id, T0) == QuotaUse(2.5, 7.0)


def test_use_is_added_up_by_period_and_never_held_below_zero(store: JobStore) -> None:
    quota = _quota()
    with store.write() as tx:
        tx.save_quota(quota)
    with store.read() as tx:
        assert tx.quota_use(quota.id, T0) == QuotaUse()
    with store.write() as tx:
        assert tx.quota_use(quota.id, T0) == QuotaUse()
        tx.change_quota_use(quota.id, T0, used=0, held=100)
        tx.change_quota_use(quota.id, T0, used=30, held=-40)
        tx.change_quota_use(quota.id, T0 + 86_400, used=1, held=-5)
        assert tx.quota_use(quota.id, T0) == QuotaUse(30.0, 60.0)
    with store.write() as tx:
        tx.change_quota_use(quota.id, T0, used=0, held=-61)
    with store.read() as tx:
        assert tx.quota_use(quota.id, T0) == QuotaUse(30.0, 0.0)
        assert tx.quota_use(quota.id, T0 + 86_400) == QuotaUse(1.0, 0.0)


def test_a_forgotten_quota_takes_its_use_along(store: JobStore) -> None:
    quota = _quota()
    with store.write() as tx:
        tx.save_quota(quota)
        tx.change_quota_use(quota.id, T0, used=1.0, held=1.0)
        assert not tx.remove_quota("other", quota.id)
        assert tx.quotas("default") == [quota]
        assert tx.remove_quota("default", quota.id)
        assert not tx.remove_quota("default", quota.id)
    with store.write() as tx:
        tx.change_quota_use(quota.id, T0, used=1.0, held=1.0)
        assert tx.quota_use(quota.id, T0) == QuotaUse()
        tx.save_quota(quota)
        assert tx.quota_use(quota.id, T0) == QuotaUse()


def test_first_holds_of_several_writers_do_not_miss_each_other(open_another: Callable[[], JobStore]) -> None:
    stores = [open_another() for _ in range(2)]
    quota = _quota(limit=4.0)
    with stores[0].write() as tx:
        tx.save_quota(quota)
    together = threading.Barrier(8)

    def hold(store: JobStore) -> float | None:
        together.wait(20)
        with store.write() as tx:
            use = tx.quota_use(quota.id, T0)
            if use.held + 1 > quota.limit:
                return None
            tx.change_quota_use(quota.id, T0, used=0.0, held=1.0)
            return use.held

    with ThreadPoolExecutor(8) as threads:
        let_in = [seen for seen in threads.map(hold, stores * 4) if seen is not None]
    assert sorted(let_in) == [0.0, 1.0, 2.0, 3.0]
    with stores[1].read() as tx:
        assert tx.quota_use(quota.id, T0) == QuotaUse(0.0, 4.0)


def test_all_logs_are_followed_in_one_order(store: JobStore) -> None:
    with store.read() as tx:
        assert tx.last_seq() == 0
        assert tx.events_after(0, 10) == []
    first = add_job(store)
    second = add_job(store, workspace="other")
    claim(store, first)
    with store.read() as tx:
        lines = tx.events_after(0, 10)
        assert [(line.subject, line.event) for line in lines] == [
            (first.id, "submitted"),
            (second.id, "submitted"),
            (first.id, "claimed"),
        ]
        assert tx.last_seq() == lines[-1].seq
        assert tx.events_after(0, 2) == lines[:2]
        assert tx.events_after(lines[1].seq, 10) == lines[2:]
        assert tx.events_after(lines[2].seq, 10) == []


def test_what_a_workspace_missed_is_its_own_lines_alone(store: JobStore) -> None:
    first = add_job(store)
    theirs = add_job(store, workspace="other")
    claim(store, first)
    session = add_session(store)
    with store.read() as tx:
        lines = tx.events_after(0, 10)
        ours = [line for line in lines if line.subject in {first.id, session.id}]
        assert len(ours) == 3
        assert tx.workspace_events("default", 0, tx.last_seq()) == ours
        assert tx.workspace_events("default", ours[0].seq, ours[1].seq) == [ours[1]]
        assert [line.subject for line in tx.workspace_events("other", 0, tx.last_seq())] == [theirs.id]
        assert tx.workspace_events("third", 0, tx.last_seq()) == []


def _line(number: int, **changes: object) -> AuditEntry:
    entry = AuditEntry(
        at=T0 + number,
        workspace="default",
        who="ada",
        via="key:key-1",
        action="key.create",
        subject=f"key-{number}",
        where="127.0.0.1",
        details={"role": "viewer", "name": "é"},
    )
    return dataclasses.replace(entry, **changes)  # type: ignore[arg-type]


def test_the_audit_log_is_read_newest_first_by_what_was_done(store: JobStore) -> None:
    lines = [
        _line(1),
        _line(2, action="key.revoke", who="bob"),
        _line(3, action="keyring.open", outcome="not-permitted", details={}),
        _line(4, action="job.submit", subject="key-1"),
    ]
    with store.write() as tx:
        tx.add_audit([])
        tx.add_audit(lines[:1])
        tx.add_audit([*lines[1:], _line(5, workspace="other")])
    with store.read() as tx:
        stored = tx.audit(AuditQuery("default"))
        assert [dataclasses.replace(line, seq=0) for line in stored] == lines[::-1]
        assert [line.seq for line in stored] == sorted({line.seq for line in stored}, reverse=True)
        fourth, third, second, first = stored
        cases = [
            (AuditQuery("default", limit=2), [fourth, third]),
            (AuditQuery("default", before_seq=third.seq), [second, first]),
            (AuditQuery("default", who="bob"), [second]),
            (AuditQuery("default", action="key.create"), [first]),
            (AuditQuery("default", action="key."), [second, first]),
            (AuditQuery("default", action="key"), []),
            (AuditQuery("default", subject="key-1"), [fourth, first]),
            (AuditQuery("default", subject="key-1", action="key.", who="ada"), [first]),
            (AuditQuery("default", after=T0 + 1, before=T0 + 4), [third, second]),
            (AuditQuery("none"), []),
        ]
        for query, expected in cases:
            assert tx.audit(query) == expected, query


def test_use_is_summed_by_day_target_and_user(store: JobStore) -> None:
    day = T0 - T0 % 86_400
    ended = claim(store, add_job(store, created_at=day + 86_399.5))
    failed = claim(store, add_job(store, created_at=day + 86_400))
    never_ran = add_job(store, created_at=day + 86_401)
    running = claim(store, add_job(store, created_at=day + 86_402, created_by="bob"))
    add_job(store, created_at=day + 86_403, target="sim.mps")
    add_job(store, created_at=day - 1)
    add_job(store, created_at=day + 2 * 86_400)
    add_job(store, created_at=day, workspace="other")
    cancel = JobEvent(trigger=JobTrigger.CANCELLED, at=never_ran.created_at + 1, who="ada")
    failure = dataclasses.replace(success(failed), trigger=JobTrigger.FAILED, error={"code": "x"}, cost=())
    with store.write() as tx:
        for job, event in ((ended, success(ended)), (failed, failure), (never_ran, cancel)):
            tx.save_job(job, advance(job, event), event)
    shots = running.shots
    assert shots == 1_000
    with store.read() as tx:
        assert tx.usage("default", day, day + 2 * 86_400) == [
            UsageLine(day, "sim.auto", "ada", 1, 1, 0, 0, shots, 0.3),
            UsageLine(day + 86_400, "sim.auto", "ada", 2, 0, 1, 1, shots, 0.3),
            UsageLine(day + 86_400, "sim.auto", "bob", 1, 0, 0, 0, shots, 0.0),
            UsageLine(day + 86_400, "sim.mps", "ada", 1, 0, 0, 0, 0, 0.0),
        ]
        assert tx.usage("none", day, day + 2 * 86_400) == []
