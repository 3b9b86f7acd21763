from __future__ import annotations

import pytest

from antiphon.domain.identity import Principal, Role
from antiphon.engine.access.members import get_member, list_members, remove_member, save_member
from antiphon.engine.context import EngineContext
from antiphon.errors import ConflictError, LimitError, NotFoundError, PermissionDeniedError
from antiphon.ports.access_store import AuditQuery


def save(ctx: EngineContext, subject: str, role: Role, by: Principal | str = "root", name: str | None = None) -> bool:
    return save_member(ctx, workspace="default", subject=subject, role=role, name=name, by=by)[1]


def remove(ctx: EngineContext, subject: str, by: Principal | str = "root") -> None:
    remove_member(ctx, workspace="default", subject=subject, by=by)


def operator() -> Principal:
    # No role below admin may change members; the rule must hold if one ever does.
    return Principal("default", "op", Role.OPERATOR, Role.ADMIN.scopes, "key:key_1")


def actions(ctx: EngineContext) -> list[str]:
    with ctx.store.read() as tx:
        return [entry.action for entry in tx.audit(AuditQuery("default"))]


def test_a_member_is_added_changed_and_removed(ctx: EngineContext) -> None:
    assert save(ctx, "https://issuer#1", Role.SUBMITTER, name="Ada")
    assert not save(ctx, "https://issuer#1", Role.OPERATOR)
    member = get_member(ctx, "default", "https://issuer#1")
    assert (member.name, member.role, member.added_by) == ("Ada", Role.OPERATOR, "root")
    assert not save(ctx, "https://issuer#1", Role.OPERATOR)
    remove(ctx, "https://issuer#1")
    assert list_members(ctx, "default") == []
    assert actions(ctx) == ["member.remove", "member.change", "member.add"]


def test_a_member_without_a_name_shows_its_subject(ctx: EngineContext) -> None:
    save(ctx, "ada@example.org", Role.VIEWER)
    assert get_member(ctx, "default", "ada@example.org").name == "ada@example.org"


def test_the_last_admin_stays_while_there_are_others(ctx: EngineContext) -> None:
    save(ctx, "ada", Role.ADMIN)
    save(ctx, "bob", Role.VIEWER)
    for act in (lambda: remove(ctx, "ada"), lambda: save(ctx, "ada", Role.OPERATOR)):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "last-admin"
    save(ctx, "bob", Role.ADMIN)
    save(ctx, "ada", Role.OPERATOR)
    remove(ctx, "ada")
    remove(ctx, "bob")
    assert list_members(ctx, "default") == []


def test_nobody_gives_or_takes_a_role_above_their_own(ctx: EngineContext) -> None:
    save(ctx, "ada", Role.ADMIN)
    save(ctx, "eve", Role.ADMIN)
    for act in (
        lambda: save(ctx, "bob", Role.ADMIN, operator()),
        lambda: save(ctx, "ada", Role.VIEWER, operator()),
        lambda: remove(ctx, "ada", operator()),
    ):
        with pytest.raises(PermissionDeniedError) as caught:
            act()
        assert caught.value.code == "role-too-high"
    assert [member.role for member in list_members(ctx, "default")] == [Role.ADMIN, Role.ADMIN]


def test_a_key_without_all_of_its_role_cannot_make_an_admin(ctx: EngineContext) -> None:
    from antiphon.domain.identity import Scope

    clerk = Principal("default", "clerk", Role.ADMIN, frozenset({Scope.MEMBERS}), "key:key_1")
    with pytest.raises(PermissionDeniedError) as caught:
        save(ctx, "bob", Role.ADMIN, clerk)
    assert caught.value.code == "scope-not-held"


def test_who_is_no_member_is_not_found(ctx: EngineContext) -> None:
    with pytest.raises(NotFoundError):
        get_member(ctx, "default", "nobody\0")
    with pytest.raises(NotFoundError):
        remove(ctx, "nobody\0")
    with pytest.raises(LimitError):
        save(ctx, "no\0body", Role.VIEWER)
    with pytest.raises(NotFoundError):
        list_members(ctx, "other")
