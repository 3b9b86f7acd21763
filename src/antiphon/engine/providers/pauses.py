"""How long to wait: before another try at sending, and before another look."""

from __future__ import annotations

from antiphon.engine.context import EngineSettings

SLOWER = 1.5
"""Each look at a job comes so many times later than the one before."""


def before_try(settings: EngineSettings, tries: int, asked: object = None) -> float:
    """Seconds to wait after `tries` tries, growing and spread.

    The count is the ledger's, so that it outlives the process; a loop that sleeps would forget it, and keep a thread.

    Args:
        asked: When the provider said to come back, in seconds, if it did.
    """
    import tenacity  # who opens a folder without providers need not load it

    first, most = settings.provider_retry_seconds, settings.provider_most_seconds
    wait = tenacity.wait_exponential(multiplier=first, max=most) + tenacity.wait_random(0, first)
    state = tenacity.RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    state.attempt_number = tries
    least = float(asked) if isinstance(asked, int | float) else 0.0
    return max(wait(state), min(least, 10 * settings.provider_most_seconds))


def before_look(settings: EngineSettings, last: float) -> float:
    """Seconds to wait before the next look, after the last wait."""
    return min(last * SLOWER, settings.provider_most_seconds)
