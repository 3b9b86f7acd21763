"""The durable record of who may do what: tenants, members, keys, quotas, and the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon.domain.identity import ApiKey, AuditEntry, Member, Tenant
from antiphon.domain.quotas import Quota, QuotaUse


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which lines of the audit log, newest first; None means any."""

    workspace: str
    who: str | None = None
    action: str | None = None
    """Exact, or a beginning that ends in a dot: "key." is every action on keys."""
    subject: str | None = None
    after: float | None = None
    before: float | None = None
    before_seq: int | None = None
    """Cursor: only lines with a smaller `seq`."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class UsageLine:
    """What was used, summed over the jobs of one target, one user and one UTC day (seconds since the epoch)."""

    day: float
    target: str
    who: str
    jobs: int
    succeeded: int
    failed: int
    cancelled: int
    shots: int
    seconds: float
    """Spent in the target."""


class AccessTransaction(Protocol):
    """The part of a transaction that is about identity and limits."""

    def add_tenant(self, tenant: Tenant) -> bool:
        """Insert it; False when the name is taken."""
        ...

    def tenant(self, name: str) -> Tenant | None:
        """The workspace of that name, or None."""
        ...

    def tenants(self) -> list[Tenant]:
        """All, by name."""
        ...

    def save_member(self, member: Member) -> None:
        """Insert or replace."""
        ...

    def remove_member(self, workspace: str, subject: str) -> bool:
        """Forget; False when there was none."""
        ...

    def members(self, workspace: str) -> list[Member]:
        """All of a workspace, by name."""
        ...

    def memberships(self, subjects: Sequence[str]) -> list[Member]:
        """Every membership that one of these subjects has, in whatever workspace."""
        ...

    def add_key(self, key: ApiKey) -> None:
        """Insert."""
        ...

    def save_key(self, key: ApiKey) -> None:
        """Store its new `revoked_at`, `expires_at` and `last_used_at`."""
        ...

    def key(self, key_id: str) -> ApiKey | None:
        """By id, in whatever workspace: this is how a caller is found to be who."""
        ...

    def keys(self, workspace: str) -> list[ApiKey]:
        """All of a workspace, newest first, the revoked ones too."""
        ...

    def count_keys(self) -> int:
        """Keys of all workspaces that are not revoked."""
        ...

    def save_quota(self, quota: Quota) -> None:
        """Insert or replace by id; what is used and held stays."""
        ...

    def remove_quota(self, workspace: str, quota_id: str) -> bool:
        """Forget it and its use; False when there was none."""
        ...

    def quotas(self, workspace: str) -> list[Quota]:
        """All of a workspace."""
        ...

    def quota_use(self, quota_id: str, period_start: float) -> QuotaUse:
        """Where it stands; zeros when nothing was held yet. In a write transaction the row is locked."""
        ...

    def change_quota_use(self, quota_id: str, period_start: float, *, used: float, held: float) -> None:
        """Add to both (either may be negative); `held` never goes below zero. A forgotten quota is ignored."""
        ...

    def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append; `seq` is given by the store."""
        ...

    def audit(self, query: AuditQuery) -> list[AuditEntry]:
        """Lines that match, newest first."""
        ...

    def usage(self, workspace: str, since: float, until: float) -> list[UsageLine]:
        """What jobs created in [since, until) used, oldest day first."""
        ...
