"""Badges of targets: kept for everybody who looks at a target, replaced by the next run of the contract kit."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.domain.badges import Badge
from antiphon.domain.identity import Principal
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.policies import operating
from antiphon.engine.validate import check_text, find_driver
from antiphon.errors import LimitError

MOST_CHECKS = 1_000
LONGEST = 200


def give_badge(
    ctx: EngineContext,
    *,
    target: str,
    version: str,
    antiphon: str,
    passed: int,
    not_applicable: int,
    failed: Sequence[str],
    by: Principal | str,
    where: str = LOCAL,
) -> Badge:
    """Keep what a run of the kit found about a target, in place of what was found before.

    Args:
        version: The target's version when it was checked.
        antiphon: The kit's.
        failed: Names of the checks that failed.

    Raises:
        NotFoundError: No such target.
        LimitError: More checks than a kit has, or text that cannot be stored.
    """
    find_driver(ctx.drivers, target)
    for what, text in (("version of the target", version), ("version of the kit", antiphon)):
        check_text(what, text, LONGEST)
    for name in failed:
        check_text("name of a check", name, LONGEST)
    if not (0 <= passed <= MOST_CHECKS and 0 <= not_applicable <= MOST_CHECKS and len(failed) <= MOST_CHECKS):
        raise LimitError(
            f"A badge tells of at most {MOST_CHECKS:,} checks.", next_step="Send the counts that the kit reported."
        )
    actor = operating(by)
    badge = Badge(
        target=target,
        version=version,
        antiphon=antiphon,
        at=ctx.clock.now(),
        by=actor.name,
        passed=passed,
        not_applicable=not_applicable,
        failed=tuple(failed),
    )
    facts = {"outcome": badge.in_words(version), "version": version, "failed": ", ".join(failed)}
    with ctx.store.write() as tx:
        tx.save_badge(badge)
        note(ctx, tx, actor, "target.badge", target, where=where, details=facts)
    return badge
