"""The part of a transaction that is about who may do what: tenants, members and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode, encode
from antiphon.adapters.store.statements import Statement, given, insert_into, upsert_into
from antiphon.adapters.store.tables import api_keys, members, tenants
from antiphon.domain.identity import ApiKey, Member, Role, Scope, Tenant

_member, _key = members.c, api_keys.c

_ADD_TENANT = insert_into(tenants, skip_conflict_on=(tenants.c.name,))
_TENANT = Statement(("name",), lambda _: select(tenants).where(tenants.c.name == given(tenants, "name")))
_TENANTS = Statement((), lambda _: select(tenants).order_by(tenants.c.name))

_SAVE_MEMBER = upsert_into(members)
_REMOVE_MEMBER = Statement(
    ("workspace", "subject"),
    lambda _: delete(members).where(
        _member.workspace == given(members, "workspace"), _member.subject == given(members, "subject")
    ),
)
_MEMBERS = Statement(("workspace",), lambda _: select(members).where(_member.workspace == given(members, "workspace")))
_MEMBERS_LOCKED = Statement(
    ("workspace",),
    lambda _: (
        select(members)
        .where(_member.workspace == given(members, "workspace"))
        .order_by(_member.subject)
        .with_for_update()
    ),
)
_MEMBERSHIPS = Statement(
    ("subject",),
    lambda _: select(members).where(_member.subject == given(members, "subject")).order_by(_member.workspace),
)

_ADD_KEY = insert_into(api_keys)
_SAVE_KEY = Statement(
    ("revoked_at", "expires_at", "last_used_at", "saved_id"),
    lambda _: (
        update(api_keys)
        .where(_key.id == bindparam("saved_id", type_=_key.id.type))
        .ordered_values(*((name, given(api_keys, name)) for name in ("revoked_at", "expires_at", "last_used_at")))
    ),
)
_KEY = Statement(("id",), lambda _: select(api_keys).where(_key.id == given(api_keys, "id")))
_KEY_LOCKED = Statement(
    ("id",), lambda _: select(api_keys).where(_key.id == given(api_keys, "id")).with_for_update(key_share=True)
)
_KEYS = Statement(
    ("workspace",),
    lambda _: (
        select(api_keys)
        .where(_key.workspace == given(api_keys, "workspace"))
        .order_by(_key.created_at.desc(), _key.id.desc())
    ),
)
_COUNT_KEYS = Statement((), lambda _: select(func.count()).select_from(api_keys).where(_key.revoked_at.is_(None)))


class AccessTransaction(EventTransaction):
    """Tenants, members and keys: see `antiphon.ports.access_store` for what each method promises."""

    def add_tenant(self, tenant: Tenant) -> bool:
        """Insert it; False when the name is taken."""
        row = (tenant.name, tenant.title, tenant.created_at, tenant.created_by)
        return bool(self._runner.change(_ADD_TENANT, row))

    def tenant(self, name: str) -> Tenant | None:
        """The workspace of that name, or None."""
        row = self._runner.row(_TENANT, (name,))
        return None if row is None else _tenant_of(row)

    def tenants(self) -> list[Tenant]:
        """All, by name."""
        return [_tenant_of(row) for row in self._runner.rows(_TENANTS)]

    def save_member(self, member: Member) -> None:
        """Insert or replace."""
        row = (member.workspace, member.subject, member.name, member.role.value, member.added_at, member.added_by)
        self._runner.change(_SAVE_MEMBER, row)

    def remove_member(self, workspace: str, subject: str) -> bool:
        """Forget; False when there was none."""
        return bool(self._runner.change(_REMOVE_MEMBER, (workspace, subject)))

    def members(self, workspace: str) -> list[Member]:
        """All of a workspace, by name; those of one name by subject. In a write transaction they are locked."""
        # Two admins who remove each other must not both see the other one stay.
        statement = _MEMBERS_LOCKED if self._runner.writable else _MEMBERS
        found = [_member_of(row) for row in self._runner.rows(statement, (workspace,))]
        # Here and not in SQL: names are in any language, and every database would order them in its own way.
        return sorted(found, key=lambda member: (member.name, member.subject))

    def memberships(self, subjects: Sequence[str]) -> list[Member]:
        """Every membership that one of these subjects has, in whatever workspace; in the order of the subjects."""
        return [
            _member_of(row)
            for subject in dict.fromkeys(subjects)
            for row in self._runner.rows(_MEMBERSHIPS, (subject,))
        ]

    def add_key(self, key: ApiKey) -> None:
        """Insert."""
        self._runner.change(_ADD_KEY, _key_row(key))

    def save_key(self, key: ApiKey) -> None:
        """Store its new `revoked_at`, `expires_at` and `last_used_at`."""
        self._runner.change(_SAVE_KEY, (key.revoked_at, key.expires_at, key.last_used_at, key.id))

    def key(self, key_id: str) -> ApiKey | None:
        """By id, in whatever workspace. In a write transaction the row is locked: a use cannot undo a revocation."""
        row = self._runner.row(_KEY_LOCKED if self._runner.writable else _KEY, (key_id,))
        return None if row is None else _key_of(row)

    def keys(self, workspace: str) -> list[ApiKey]:
        """All of a workspace, newest first, the revoked ones too."""
        return [_key_of(row) for row in self._runner.rows(_KEYS, (workspace,))]

    def count_keys(self) -> int:
        """Keys of all workspaces that are not revoked."""
        count: int = self._runner.row(_COUNT_KEYS)[0]
        return count


def _tenant_of(row: tuple[Any, ...]) -> Tenant:
    return Tenant(name=row[0], title=row[1], created_at=row[2], created_by=row[3])


def _member_of(row: tuple[Any, ...]) -> Member:
    return Member(workspace=row[0], subject=row[1], name=row[2], role=Role(row[3]), added_at=row[4], added_by=row[5])


def _key_row(key: ApiKey) -> tuple[Any, ...]:
    return (
        key.id,
        key.workspace,
        key.name,
        key.role.value,
        encode(sorted(key.scopes)),
        key.secret_hash,
        key.created_at,
        key.created_by,
        key.expires_at,
        key.revoked_at,
        key.last_used_at,
    )


def _key_of(row: tuple[Any, ...]) -> ApiKey:
    return ApiKey(
        id=row[0],
        workspace=row[1],
        name=row[2],
        role=Role(row[3]),
        scopes=frozenset(Scope(scope) for scope in decode(row[4])),
        secret_hash=row[5],
        created_at=row[6],
        created_by=row[7],
        expires_at=row[8],
        revoked_at=row[9],
        last_used_at=row[10],
    )
