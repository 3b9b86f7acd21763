"""The part of a transaction that is about how queues are run and where they stand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.queue_tables import queue_policies, queue_states
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.domain.queues import Access, QueuePolicy, QueueState
from antiphon.ports.job_store import VersionConflictError

_policy, _state = queue_policies.c, queue_states.c
_POLICY_CHANGES = tuple(column.name for column in _policy if column.name != "target")
_STATE_CHANGES = tuple(column.name for column in _state if column.name != "target")

_POLICY = Statement(
    ("target",), lambda _: select(queue_policies).where(_policy.target == given(queue_policies, "target"))
)
_POLICIES = Statement((), lambda _: select(queue_policies).order_by(_policy.target))
_ADD_POLICY = insert_into(queue_policies, skip_conflict_on=(_policy.target,))
_SAVE_POLICY = Statement(
    (*_POLICY_CHANGES, "saved_target", "saved_version"),
    lambda _: (
        update(queue_policies)
        .where(
            _policy.target == bindparam("saved_target", type_=_policy.target.type),
            _policy.version == bindparam("saved_version", type_=_policy.version.type),
        )
        .values({name: given(queue_policies, name) for name in _POLICY_CHANGES})
    ),
)

_OF_TARGET = select(queue_states).where(_state.target == given(queue_states, "target"))
_STATE = Statement(("target",), lambda _: _OF_TARGET)
_STATE_LOCKED = Statement(("target",), lambda _: _OF_TARGET.with_for_update())
_STATES = Statement((), lambda _: select(queue_states).order_by(_state.target))
_ADD_STATE = insert_into(queue_states, skip_conflict_on=(_state.target,))
_SAVE_STATE = Statement(
    (*_STATE_CHANGES, "saved_target"),
    lambda _: (
        update(queue_states)
        .where(_state.target == bindparam("saved_target", type_=_state.target.type))
        .values({name: given(queue_states, name) for name in _STATE_CHANGES})
    ),
)


class PolicyTransaction(EventTransaction):
    """Policies and states of queues: see `antiphon.ports.queue_store` for what each method promises."""

    def queue_policy(self, target: str) -> QueuePolicy | None:
        """What an operator decided, or None."""
        row = self._runner.row(_POLICY, (target,))
        return None if row is None else _policy_of(row)

    def queue_policies(self) -> list[QueuePolicy]:
        """Every target's that an operator decided about, by target."""
        return [_policy_of(row) for row in self._runner.rows(_POLICIES)]

    def save_queue_policy(self, before: QueuePolicy | None, after: QueuePolicy) -> None:
        """Store `after` if the stored version is that of `before`, or none if `before` is None.

        Raises:
            VersionConflictError: It is not.
        """
        changes = _policy_changes(after)
        if before is None:
            stored = self._runner.change(_ADD_POLICY, (after.target, *changes))
        else:
            stored = self._runner.change(_SAVE_POLICY, (*changes, before.target, before.version))
        if not stored:
            raise VersionConflictError(
                f"How the queue of {after.target} is run was changed by somebody else meanwhile.",
                next_step="Read it again and decide again.",
                details={"target": after.target},
            )

    def queue_state(self, target: str) -> QueueState:
        """Where the queue stands; in a write transaction its row is made if missing, and locked until the end."""
        if not self._runner.writable:
            row = self._runner.row(_STATE, (target,))
        else:
            row = self._runner.row(_STATE_LOCKED, (target,))
            if row is None:
                # What is not there cannot be locked, and two firsts must not both decide.
                self._runner.change(_ADD_STATE, _state_row(QueueState(target=target)))
                row = self._runner.row(_STATE_LOCKED, (target,))
        return QueueState(target=target) if row is None else _state_of(row)

    def queue_states(self) -> list[QueueState]:
        """Every queue that ever stood anywhere, by target; locks nothing."""
        return [_state_of(row) for row in self._runner.rows(_STATES)]

    def save_queue_state(self, before: QueueState, after: QueueState) -> None:
        """Store what changed of a state that this transaction has locked."""
        if after != before:
            self._runner.change(_SAVE_STATE, (*_state_row(after)[1:], before.target))


def _policy_changes(policy: QueuePolicy) -> tuple[Any, ...]:
    return (
        policy.slots,
        policy.access.value,
        policy.gap_s,
        policy.window_s,
        policy.patience_s,
        policy.aged_every,
        policy.quantum_s,
        policy.version,
        policy.updated_at,
        policy.updated_by,
    )


def _policy_of(row: tuple[Any, ...]) -> QueuePolicy:
    return QueuePolicy(
        target=row[0],
        slots=row[1],
        access=Access(row[2]),
        gap_s=row[3],
        window_s=row[4],
        patience_s=row[5],
        aged_every=row[6],
        quantum_s=row[7],
        version=row[8],
        updated_at=row[9],
        updated_by=row[10],
    )


def _state_row(state: QueueState) -> tuple[Any, ...]:
    return (
        state.target,
        state.owner,
        state.fence,
        state.held_by,
        state.held_workspace,
        state.held_since,
        state.held_until,
        state.starts,
    )


def _state_of(row: tuple[Any, ...]) -> QueueState:
    return QueueState(
        target=row[0],
        owner=row[1],
        fence=row[2],
        held_by=row[3],
        held_workspace=row[4],
        held_since=row[5],
        held_until=row[6],
        starts=row[7],
    )
