"""Allotments: how much of the targets is a workspace's, measured against the others'."""

from __future__ import annotations

from antiphon.domain.identity import Principal
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.policies import operating
from antiphon.engine.validate import is_number
from antiphon.errors import LimitError

USUAL = 1.0
"""The weight of a workspace that has none of its own."""
LEAST = 1e-9
LARGEST = 1e9


def set_allotment(
    ctx: EngineContext, *, workspace: str, weight: float | None, by: Principal | str, where: str = LOCAL
) -> None:
    """Give a workspace a weight: who has twice the weight may use twice as much before others go first.

    Args:
        weight: 0 puts its jobs behind those of every other workspace of their class; None is the usual weight, 1.

    Raises:
        NotFoundError: No such workspace.
        LimitError: The weight is negative or no number (code "allotment-invalid").
    """
    if weight is not None and not (is_number(weight) and (weight == 0 or LEAST <= weight <= LARGEST)):
        raise LimitError(
            f"{str(weight)[:80]} cannot be the weight of a workspace.",
            code="allotment-invalid",
            next_step=f"Give 0, a number from {LEAST:g} to {LARGEST:g}, or none for the usual weight of {USUAL:g}.",
        )
    actor = operating(by)
    with ctx.store.write() as tx:
        require_tenant(tx, workspace)
        tx.save_allotment(workspace, None if weight is None else float(weight))
        details = {"weight": "usual" if weight is None else f"{float(weight):.15g}"}
        note(ctx, tx, actor, "queue.allotment", workspace, where=where, details=details)


def list_allotments(ctx: EngineContext) -> dict[str, float]:
    """The weights of the workspaces that have one of their own, by name; the others have `USUAL`."""
    with ctx.store.read() as tx:
        return tx.allotments()
