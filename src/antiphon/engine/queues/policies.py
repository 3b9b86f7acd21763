"""How the queue of a target is run: an operator's word, or the defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from typing import Final, TypeVar

from antiphon.domain.evolve import evolve
from antiphon.domain.identity import Principal
from antiphon.domain.queues import DAY_S, Access, QueuePolicy
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL, local_principal
from antiphon.engine.access.tenants import DEFAULT
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.validate import find_driver, is_number
from antiphon.errors import LimitError
from antiphon.ports.queue_store import QueueTransaction

_POLICIES = "queue policies"

MOST_SLOTS = 10_000
SECONDS = {
    "gap_s": (0.0, 7 * DAY_S),
    "window_s": (60.0, 3_650 * DAY_S),
    "patience_s": (0.0, 365 * DAY_S),
    "quantum_s": (0.001, 7 * DAY_S),
}
"""The least and the most of each time of a policy."""
AGED_EVERY = (1, 1_000_000)

Value = TypeVar("Value")


class Unchanged(Enum):
    """Not given, where None has a meaning of its own."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


def policy_of(ctx: EngineContext, tx: QueueTransaction, target: str) -> QueuePolicy:
    """The policy of a target as it stands in this transaction: what an operator decided, or the defaults."""
    return tx.queue_policy(target) or _defaults(ctx, target)


def queue_policy(ctx: EngineContext, target: str) -> QueuePolicy:
    """The policy of a target; `version` 0 means that no operator has decided about it.

    Raises:
        NotFoundError: No such target.
    """
    find_driver(ctx.drivers, target)
    with ctx.store.read() as tx:
        return policy_of(ctx, tx, target)


def known_policy(ctx: EngineContext, target: str) -> QueuePolicy:
    """The policy of a target as it was at most a second ago: whoever picks from the queue reads it anew."""
    return known_policies(ctx, (target,))[target]


def known_policies(ctx: EngineContext, targets: Iterable[str]) -> dict[str, QueuePolicy]:
    """The policies of several targets, each as old as `known_policy` says."""

    def read() -> dict[str, QueuePolicy]:
        with ctx.store.read() as tx:
            return {policy.target: policy for policy in tx.queue_policies()}

    decided = ctx.recent.get(_POLICIES, ctx.clock, read)
    return {target: decided.get(target) or _defaults(ctx, target) for target in targets}


@decided_again
def set_queue_policy(
    ctx: EngineContext,
    *,
    target: str,
    slots: int | Unchanged | None = UNCHANGED,
    access: Access | str | Unchanged = UNCHANGED,
    gap_s: float | Unchanged = UNCHANGED,
    window_s: float | Unchanged = UNCHANGED,
    patience_s: float | Unchanged = UNCHANGED,
    aged_every: int | Unchanged = UNCHANGED,
    quantum_s: float | Unchanged = UNCHANGED,
    check: Callable[[QueuePolicy], None] | None = None,
    by: Principal | str,
    where: str = LOCAL,
) -> QueuePolicy:
    """Decide how the queue of a target is run, from its next start on; what is not given stays as it is.

    Args:
        slots: None lets it run as many jobs as there are workers.
        check: Looks at the policy as it is, in the transaction that changes it; nothing is changed when it raises.

    Raises:
        NotFoundError: No such target.
        LimitError: A value is out of its range, or a hold is asked for without slots (code "queue-policy-invalid").
    """
    find_driver(ctx.drivers, target)
    actor = operating(by)
    with ctx.store.write() as tx:
        stored = tx.queue_policy(target)
        before = stored or _defaults(ctx, target)
        if check is not None:
            check(before)
        after = checked_policy(
            replace(
                before,
                slots=_given(slots, before.slots),
                access=_access(_given(access, before.access)),
                gap_s=_given(gap_s, before.gap_s),
                window_s=_given(window_s, before.window_s),
                patience_s=_given(patience_s, before.patience_s),
                aged_every=_given(aged_every, before.aged_every),
                quantum_s=_given(quantum_s, before.quantum_s),
            )
        )
        if stored is not None and after == stored:
            return stored
        after = replace(after, version=before.version + 1, updated_at=ctx.clock.now(), updated_by=actor.name)
        tx.save_queue_policy(stored, after)
        note(ctx, tx, actor, "queue.policy", target, where=where, details=_changes(before, after))
    ctx.recent.forget(_POLICIES)
    return after


def checked_policy(policy: QueuePolicy) -> QueuePolicy:
    """The policy, if a queue can be run by it.

    Raises:
        LimitError: Naming the field and its range (code "queue-policy-invalid").
    """
    slots = policy.slots
    if slots is not None and not (_is_count(slots) and 1 <= slots <= MOST_SLOTS):
        raise _invalid("slots", slots, f"it is a whole number from 1 to {MOST_SLOTS:,}, or none")
    for name, (least, most) in SECONDS.items():
        value = getattr(policy, name)
        if not (is_number(value) and least <= value <= most):
            raise _invalid(name, value, f"it is a number of seconds from {least:g} to {most:,.0f}")
    if not (_is_count(policy.aged_every) and AGED_EVERY[0] <= policy.aged_every <= AGED_EVERY[1]):
        raise _invalid(
            "aged_every", policy.aged_every, f"it is a whole number from {AGED_EVERY[0]} to {AGED_EVERY[1]:,}"
        )
    if slots is None and policy.access is not Access.SHARED:
        raise _invalid(
            "access", policy.access.value, "only a target with slots can be held; one without can only be shared"
        )
    return evolve(policy, **{name: float(getattr(policy, name)) for name in SECONDS})


def operating(by: Principal | str) -> Principal:
    """Who acts on the queues, which belong to nobody's workspace: a plain name is the machine's own user."""
    return local_principal(DEFAULT, by) if isinstance(by, str) else by


def _defaults(ctx: EngineContext, target: str) -> QueuePolicy:
    driver = ctx.drivers.get(target)
    return QueuePolicy(target=target, slots=None if driver is None else driver.info.slots)


def _given(value: Value | Unchanged, before: Value) -> Value:
    return before if isinstance(value, Unchanged) else value


def _access(value: Access | str) -> Access:
    try:
        return Access(str(value).lower())
    except ValueError:
        raise _invalid("access", value, f"it is one of {', '.join(access.value for access in Access)}") from None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _invalid(field: str, value: object, cause: str) -> LimitError:
    return LimitError(
        f"{field}={str(value)[:80]} cannot be in the policy of a queue.",
        code="queue-policy-invalid",
        cause=cause,
        next_step=f"Give {field} in its range, or leave it out to keep it as it is.",
        details={"field": field},
    )


def _changes(before: QueuePolicy, after: QueuePolicy) -> dict[str, str]:
    names = ("slots", "access", *SECONDS, "aged_every")
    return {name: str(getattr(after, name)) for name in names if getattr(before, name) != getattr(after, name)}
