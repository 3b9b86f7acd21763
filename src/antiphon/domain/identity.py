"""Who may do what: roles of members, scopes of keys, and the principal that a request acts as."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """One kind of action. A role grants several; a key may carry fewer than its role grants."""

    JOBS_READ = "jobs:read"  # jobs, sessions, results, records, targets, the workspace's usage
    JOBS_WRITE = "jobs:write"  # submit, cancel one's own, open and close sessions
    JOBS_MANAGE = "jobs:manage"  # cancel and close what others submitted
    WEBHOOKS = "webhooks:write"
    AUDIT_READ = "audit:read"
    KEYS = "keys:write"
    MEMBERS = "members:write"
    QUOTAS = "quotas:write"
    QUEUES = "queues:write"  # how queues are run, prices, allotments, reservations; in the first workspace only


class Role(StrEnum):
    """What a member is in a workspace; each role can do what the ones before it can."""

    VIEWER = "viewer"
    SUBMITTER = "submitter"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Position in the order; nobody gives a role of a higher rank than their own."""
        return list(Role).index(self)

    @property
    def scopes(self) -> frozenset[Scope]:
        """All the role may do."""
        return _SCOPES[self]


_VIEWER = frozenset({Scope.JOBS_READ})
_SUBMITTER = _VIEWER | {Scope.JOBS_WRITE}
_OPERATOR = _SUBMITTER | {Scope.JOBS_MANAGE, Scope.WEBHOOKS, Scope.AUDIT_READ, Scope.QUEUES}
_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.SUBMITTER: _SUBMITTER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _OPERATOR | {Scope.KEYS, Scope.MEMBERS, Scope.QUOTAS},
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request acts as, in exactly one workspace.

    Attributes:
        workspace: The tenant; every query is scoped to it.
        name: Who, for records and audit: the key's name, or the subject of a token.
        scopes: What it may do.
        via: How it proved it: "key:<id>", "oidc:<issuer>", or "local" for the machine's own user.
    """

    workspace: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    via: str

    @property
    def caller(self) -> str:
        """Who is counted where a caller may have only so much: a key, or the one person behind a token."""
        return self.via if self.via.startswith("key:") else f"{self.via}|{self.name}"

    def may(self, scope: Scope) -> bool:
        """Whether it may do this kind of thing."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A workspace as a tenant of a shared service. Times are seconds since the epoch (UTC)."""

    name: str
    title: str = ""
    created_at: float
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person or service with a role in a workspace.

    `subject` is the identity that an OIDC token proves: "<issuer>#<sub>", or a verified e-mail address.
    """

    workspace: str
    subject: str
    name: str
    role: Role
    added_at: float
    added_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key as stored: never its secret, only the hash of it.

    Attributes:
        secret_hash: SHA-256 of the secret, hexadecimal. The secret has 256 bits of its own, so no slow hash is needed.
        scopes: What it may do; never more than its role.
    """

    id: str
    workspace: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    secret_hash: str
    created_at: float
    created_by: str
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None

    def is_live(self, now: float) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit log; append-only.

    Attributes:
        seq: Grows within the store; 0 before it is stored.
        action: What was done, in the words of the API: "job.submit", "key.create", "auth.refused".
        subject: On what: an id or a name.
        where: From where: the caller's address, or "local".
        outcome: "ok", or the code of the refusal.
    """

    seq: int = 0
    at: float
    workspace: str
    who: str
    via: str
    action: str
    subject: str
    where: str
    outcome: str = "ok"
    details: dict[str, str] = field(default_factory=dict)
