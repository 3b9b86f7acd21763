"""Badges of targets, in the same transactions as everything else."""

from __future__ import annotations

from typing import Protocol

from antiphon.domain.badges import Badge


class BadgeTransaction(Protocol):
    """One badge a target: a new one takes the place of the one before; the audit log has them all."""

    def badges(self) -> dict[str, Badge]:
        """Every badge, by target."""
        ...

    def save_badge(self, badge: Badge) -> None:
        """Give a target a badge."""
        ...
