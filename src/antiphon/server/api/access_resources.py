"""Keys, members, quotas, audit lines and usage as models: what OpenAPI says of every answer and body about them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from antiphon.domain.identity import Role, Scope
from antiphon.domain.quotas import Dimension, Period
from antiphon.domain.usage import UsageBy
from antiphon.engine.access.keys import LONGEST_LIFE_S
from antiphon.engine.access.limits import LARGEST_LIMIT
from antiphon.engine.access.names import LONGEST_NAME
from antiphon.server.api.resources import Resource
from antiphon.server.api.submissions import Body


def _shown(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("it needs printable characters, and not only blanks")
    return value


Shown = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_shown)]


class WhoView(Resource):
    """Who the caller is."""

    workspace: str
    who: str
    role: Role
    scopes: list[Scope]
    via: str = Field(description="How it proved that: key:<id>, oidc:<issuer> or local.")


class WorkspaceView(Resource):
    """A workspace."""

    name: str
    title: str
    created_at: str | None = Field(description="Null for the one that was always there.")
    created_by: str


class KeyView(Resource):
    """An API key. Its secret is not stored, so it is shown once only, when the key is made."""

    id: str
    workspace: str
    name: str
    role: Role
    scopes: list[Scope]
    live: bool = Field(description="Whether it opens anything: neither revoked nor expired.")
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None = Field(description="To the minute or so.")


class NewKeyView(KeyView):
    """A key that was just made, with its text."""

    key: str = Field(description="Keep it now: it cannot be shown again.")


class KeyList(Resource):
    """All keys of the workspace, newest first."""

    keys: list[KeyView]


class KeyBody(Body):
    """A key to be."""

    name: Shown = Field(description="Whose it is. Keys of one name act as one user.")
    role: Role
    scopes: Annotated[list[Scope], Field(min_length=1)] | None = Field(
        None, description="Fewer than the role has; null for all of them."
    )
    expires_in_s: float | None = Field(
        None, gt=0, le=LONGEST_LIFE_S, description="Seconds until it opens nothing; null for never."
    )


class MemberView(Resource):
    """A member of the workspace."""

    workspace: str
    subject: str
    name: str
    role: Role
    added_at: str
    added_by: str


class MemberList(Resource):
    """All members of the workspace, by name."""

    members: list[MemberView]


class MemberBody(Body):
    """What a member shall be."""

    role: Role
    name: Shown | None = Field(None, description="What to show; null keeps the name, or shows the subject.")


class QuotaView(Resource):
    """A quota and where it stands."""

    id: str
    workspace: str
    dimension: Dimension
    limit: float
    period: Period
    target: str | None = Field(description="Null: all targets together.")
    used: float
    held: float = Field(description="By jobs that have not ended.")
    remaining: float
    resets_at: str | None = Field(description="When `used` begins at zero again; null for never.")


class QuotaList(Resource):
    """All quotas of the workspace."""

    quotas: list[QuotaView]


class QuotaBody(Body):
    """A quota to be; one of the same dimension, period and target gets this limit."""

    dimension: Dimension
    limit: float = Field(ge=0, le=LARGEST_LIMIT)
    period: Period = Period.NONE
    target: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)] | None = Field(
        None, description="Null: all targets together."
    )


class AuditView(Resource):
    """One line of the audit log."""

    seq: int
    at: str
    workspace: str
    who: str
    via: str
    action: str
    subject: str
    where: str = Field(description="The caller's address, or local.")
    outcome: str = Field(description="ok, or the code of the refusal.")
    details: dict[str, str]


class AuditPage(Resource):
    """One page of the audit log, newest first."""

    entries: list[AuditView]
    next: str | None = Field(description="Address of the next page; null on the last.")


class UsageFigures(Resource):
    """What some jobs used."""

    jobs: int
    succeeded: int
    failed: int
    cancelled: int
    shots: int
    seconds: float = Field(description="Spent in targets.")


class UsageSumView(UsageFigures):
    """What the jobs of one target, of one user, or of one day used."""

    key: str = Field(description="The target, the user, or the day's midnight (UTC).")


class UsageView(Resource):
    """What the jobs that were submitted in a period used."""

    workspace: str
    since: str
    until: str
    by: UsageBy
    total: UsageFigures
    sums: list[UsageSumView]
