"""Who acts: the machine's own user, or a principal of the very workspace; and what one may give to others."""

from __future__ import annotations

from collections.abc import Iterable

from antiphon.domain.identity import Principal, Role, Scope
from antiphon.errors import PermissionDeniedError

LOCAL = "local"
"""How the machine's own user proved who it is, and where from: by being able to write the folder."""


def local_principal(workspace: str, who: str) -> Principal:
    """The user of the machine, who may do everything in every workspace of the folder."""
    return Principal(workspace=workspace, name=who, role=Role.ADMIN, scopes=Role.ADMIN.scopes, via=LOCAL)


def acting(by: Principal | str, workspace: str) -> Principal:
    """The principal that acts in `workspace`; a plain name is the machine's own user.

    Raises:
        PermissionDeniedError: The principal belongs to another workspace.
    """
    if isinstance(by, str):
        return local_principal(workspace, by)
    if by.workspace != workspace:
        raise PermissionDeniedError(
            f"{by.name} may not do this outside the workspace {by.workspace}.",
            next_step="Use a key of the other workspace.",
        )
    return by


def check_gift(by: Principal, role: Role, scopes: Iterable[Scope]) -> None:
    """Refuse to give more than one has oneself.

    Raises:
        PermissionDeniedError: The role is above the giver's, or a scope is not the giver's.
    """
    if role.rank > by.role.rank:
        raise PermissionDeniedError(
            f"{by.name} is {by.role.value} and cannot make somebody {role.value}.",
            code="role-too-high",
            next_step=f"Ask for a role up to {by.role.value}, or ask somebody who is {role.value}.",
            details={"role": by.role.value, "asked": role.value},
        )
    missing = sorted(scope.value for scope in scopes if scope not in by.scopes)
    if missing:
        raise PermissionDeniedError(
            f"{by.name} cannot give what it may not do itself: {', '.join(missing)}.",
            code="scope-not-held",
            next_step="Name fewer scopes, or ask an admin with all of them.",
            details={"scopes": missing},
        )
