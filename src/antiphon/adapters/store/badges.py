"""The part of a transaction that is about badges of targets."""

from __future__ import annotations

from sqlalchemy import select

from antiphon.adapters.store.badge_tables import target_badges
from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode, encode
from antiphon.adapters.store.statements import Statement, upsert_into
from antiphon.domain.badges import Badge

_ALL = Statement((), lambda _: select(target_badges).order_by(target_badges.c.target))
_SAVE = upsert_into(target_badges)


class BadgeTransaction(EventTransaction):
    """Badges: see `antiphon.ports.badge_store` for what each method promises."""

    def badges(self) -> dict[str, Badge]:
        """Every badge, by target."""
        return {
            row[0]: Badge(
                target=row[0],
                version=row[1],
                antiphon=row[2],
                at=row[3],
                by=row[4],
                passed=row[5],
                not_applicable=row[6],
                failed=tuple(decode(row[7])),
            )
            for row in self._runner.rows(_ALL)
        }

    def save_badge(self, badge: Badge) -> None:
        """Give a target a badge."""
        self._runner.change(
            _SAVE,
            (
                badge.target,
                badge.version,
                badge.antiphon,
                badge.at,
                badge.by,
                badge.passed,
                badge.not_applicable,
                encode(list(badge.failed)),
            ),
        )
