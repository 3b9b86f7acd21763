"""One step on a job's way through its provider, decided by the newest line of the ledger alone."""

from __future__ import annotations

from antiphon.domain.jobs import JobTrigger, StaleLeaseError
from antiphon.domain.submissions import Move, next_move
from antiphon.domain.transitions import TransitionRefusedError
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.asking import look, reconcile
from antiphon.engine.providers.followed import Followed
from antiphon.engine.providers.ledger import read_standing, tell
from antiphon.engine.providers.sending import send, store_answer


def step(ctx: EngineContext, followed: Followed) -> float | None:
    """Do what is due for a job that this engine holds; may block for as long as one call to its provider lasts.

    Returns:
        Seconds until the next step; None when this engine has nothing more to do with the job.

    Raises:
        StoreError: The store cannot be asked now; the step is to be made again.
    """
    try:
        followed.job, line, tries = read_standing(ctx, followed.job)
        if followed.answer is not None and line is not None:
            return store_answer(ctx, followed, line)
        move = next_move(line)
        if followed.job.in_doubt and move is not Move.RECONCILE:
            followed.job = tell(ctx, followed.job, JobTrigger.RESOLVED, "the ledger says it")
        if line is not None and move is Move.RECONCILE:
            return reconcile(ctx, followed, line)
        if line is not None and move is Move.FOLLOW:
            return look(ctx, followed, line)
        return send(ctx, followed, line, tries)
    except StaleLeaseError:
        return None  # whoever holds the job now goes on from the ledger
    except TransitionRefusedError:
        return followed.pause  # an operator was quicker
