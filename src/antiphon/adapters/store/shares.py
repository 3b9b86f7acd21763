"""The part of a transaction that is about who has used how much of a target, and what is theirs."""

from __future__ import annotations

from sqlalchemy import delete, literal_column, or_, select

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.queue_tables import allotments, shares
from antiphon.adapters.store.statements import Statement, given, upsert_into
from antiphon.domain.policies.shares import Use

_share, _allotment = shares.c, allotments.c

_NAMES = ("target", "workspace", "user")
_OF_USER = select(_share.used, _share.at).where(*(_share[name] == given(shares, name) for name in _NAMES))
_SHARE = Statement(_NAMES, lambda _: _OF_USER)
_SHARE_LOCKED = Statement(_NAMES, lambda _: _OF_USER.with_for_update())
_OF_BOTH = (
    select(_share.user, _share.used, _share.at)
    .where(
        _share.target == given(shares, "target"),
        _share.workspace == given(shares, "workspace"),
        or_(_share.user == literal_column("''"), _share.user == given(shares, "user")),
    )
    .order_by(_share.user)
)
_BOTH = Statement(_NAMES, lambda _: _OF_BOTH)
_BOTH_LOCKED = Statement(_NAMES, lambda _: _OF_BOTH.with_for_update())
_SAVE_SHARE = upsert_into(shares)
_SHARES = Statement(
    ("target",),
    lambda _: (
        select(_share.workspace, _share.user, _share.used, _share.at)
        .where(_share.target == given(shares, "target"))
        .order_by(_share.workspace, _share.user)
    ),
)
_ALLOTMENTS = Statement((), lambda _: select(allotments).order_by(_allotment.workspace))
_SAVE_ALLOTMENT = upsert_into(allotments)
_REMOVE_ALLOTMENT = Statement(
    ("workspace",), lambda _: delete(allotments).where(_allotment.workspace == given(allotments, "workspace"))
)


class ShareTransaction(EventTransaction):
    """Shares: see `antiphon.ports.queue_store` for what each method promises."""

    def share(self, target: str, workspace: str, user: str) -> Use:
        """What a user, or with "" the whole workspace, has used; in a write transaction it stays so until the end."""
        row = self._runner.row(_SHARE_LOCKED if self._runner.writable else _SHARE, (target, workspace, user))
        return Use() if row is None else Use(*row)

    def shares_of(self, target: str, workspace: str, user: str) -> tuple[Use, Use]:
        """What a workspace and one of its users have used of a target, as `share` tells it."""
        rows = self._runner.rows(_BOTH_LOCKED if self._runner.writable else _BOTH, (target, workspace, user))
        found = {name: Use(used, at) for name, used, at in rows}
        return found.get("", Use()), found.get(user, Use())

    def save_share(self, target: str, workspace: str, user: str, use: Use) -> None:
        """Replace it."""
        self._runner.change(_SAVE_SHARE, (target, workspace, user, use.used, use.at))

    def shares(self, target: str) -> list[tuple[str, str, Use]]:
        """(workspace, user, use) of everybody; user "" is the whole workspace."""
        return [(workspace, user, Use(used, at)) for workspace, user, used, at in self._runner.rows(_SHARES, (target,))]

    def allotments(self) -> dict[str, float]:
        """The weights of workspaces that have one; others have 1."""
        return dict(self._runner.rows(_ALLOTMENTS))

    def save_allotment(self, workspace: str, weight: float | None) -> None:
        """Set a workspace's weight; None takes it away."""
        if weight is None:
            self._runner.change(_REMOVE_ALLOTMENT, (workspace,))
        else:
            self._runner.change(_SAVE_ALLOTMENT, (workspace, weight))
