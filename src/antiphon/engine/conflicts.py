"""Optimistic concurrency: read again and decide again when somebody else changed it first."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from antiphon.ports.job_store import VersionConflictError

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 20


def decided_again(action: Callable[P, R]) -> Callable[P, R]:
    """Run `action` anew, from its first read, each time its transaction loses against another.

    Only for actions whose whole effect is one transaction, so that a lost try has changed nothing. Two lockers of the
    same job and session can collide on PostgreSQL; on SQLite the write lock makes conflicts rare.

    Raises:
        VersionConflictError: It lost 20 times in a row.
    """

    @functools.wraps(action)
    def trying(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                return action(*args, **kwargs)
            except VersionConflictError:
                continue
        return action(*args, **kwargs)

    return trying
