"""Keys, members, quotas, audit lines and usage as the native API and the command line show them."""

from __future__ import annotations

from typing import Any

from antiphon.client.wire.times import to_iso
from antiphon.domain.identity import ApiKey, AuditEntry, Member, Tenant
from antiphon.engine.access.quotas import Standing
from antiphon.engine.access.usage import UsageSum, UsageSummary


def key_to_json(key: ApiKey, now: float) -> dict[str, Any]:
    """A key as its resource; there is nothing of its secret in it. `live` is whether it opens anything at `now`."""
    return {
        "id": key.id,
        "workspace": key.workspace,
        "name": key.name,
        "role": key.role.value,
        "scopes": sorted(scope.value for scope in key.scopes),
        "live": key.is_live(now),
        "created_at": to_iso(key.created_at),
        "created_by": key.created_by,
        "expires_at": to_iso(key.expires_at),
        "revoked_at": to_iso(key.revoked_at),
        "last_used_at": to_iso(key.last_used_at),
    }


def member_to_json(member: Member) -> dict[str, Any]:
    """A member as its resource."""
    return {
        "workspace": member.workspace,
        "subject": member.subject,
        "name": member.name,
        "role": member.role.value,
        "added_at": to_iso(member.added_at),
        "added_by": member.added_by,
    }


def tenant_to_json(tenant: Tenant) -> dict[str, Any]:
    """A workspace as its resource; `created_at` is null for the one that is always there."""
    return {
        "name": tenant.name,
        "title": tenant.title,
        "created_at": to_iso(tenant.created_at) if tenant.created_at else None,
        "created_by": tenant.created_by,
    }


def standing_to_json(standing: Standing) -> dict[str, Any]:
    """A quota as its resource, with where it stands in the current period."""
    quota = standing.quota
    return {
        "id": quota.id,
        "workspace": quota.workspace,
        "dimension": quota.dimension.value,
        "limit": quota.limit,
        "period": quota.period.value,
        "target": quota.target,
        "used": standing.use.used,
        "held": standing.use.held,
        "remaining": standing.remaining,
        "resets_at": to_iso(standing.resets_at),
    }


def audit_to_json(entry: AuditEntry) -> dict[str, Any]:
    """A line of the audit log."""
    return {
        "seq": entry.seq,
        "at": to_iso(entry.at),
        "workspace": entry.workspace,
        "who": entry.who,
        "via": entry.via,
        "action": entry.action,
        "subject": entry.subject,
        "where": entry.where,
        "outcome": entry.outcome,
        "details": dict(entry.details),
    }


def usage_to_json(summary: UsageSummary) -> dict[str, Any]:
    """A summary of what was used; each sum has its target, user or day (the time of its midnight) under `key`."""
    return {
        "workspace": summary.workspace,
        "since": to_iso(summary.since),
        "until": to_iso(summary.until),
        "by": summary.by.value,
        "total": _figures(summary.total),
        "sums": [
            {"key": each.key if isinstance(each.key, str) else to_iso(each.key), **_figures(each)}
            for each in summary.sums
        ],
    }


def _figures(each: UsageSum) -> dict[str, Any]:
    return {
        "jobs": each.jobs,
        "succeeded": each.succeeded,
        "failed": each.failed,
        "cancelled": each.cancelled,
        "shots": each.shots,
        "seconds": each.seconds,
    }
