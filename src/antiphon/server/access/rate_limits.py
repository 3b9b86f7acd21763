"""How many requests one key may make, told in every answer's RateLimit headers."""

from __future__ import annotations

import time
from typing import Any

import http_sf
from limits import RateLimitItem, parse
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request

from antiphon.domain.identity import Principal
from antiphon.errors import RateLimitedError
from antiphon.server.access.counters import LoopStorage

POLICY = "default"


class RateLimiter:
    """Counts requests in a window that slides, in this process's memory.

    Args:
        limit: As in "6000/minute"; empty for no limit. Several separated by ";" all count.

    Raises:
        ValueError: `limit` cannot be read.
    """

    def __init__(self, limit: str) -> None:
        # A counter of two windows costs the same for 10 and for 100,000 requests a minute; a list of times does not.
        self._limits: list[RateLimitItem] = [parse(each.strip()) for each in limit.split(";") if each.strip()]
        self._strategy = SlidingWindowCounterRateLimiter(LoopStorage()) if self._limits else None
        policy: list[Any] = [(self._name(each), {"q": each.amount, "w": each.get_expiry()}) for each in self._limits]
        self._policy = http_sf.ser(policy) if policy else ""

    def check(self, request: Request, principal: Principal) -> None:
        """Count one request of a principal; the headers for its answer are kept in `request.state.rate_limit`.

        Raises:
            RateLimitedError: It was one too many; `details` have the limit and `retry_after_s`.
        """
        if self._strategy is None:
            return
        subject = principal.caller
        exceeded = next((each for each in self._limits if not self._strategy.hit(each, subject)), None)
        now = time.time()
        left: list[Any] = []
        for each in self._limits:
            window = self._strategy.get_window_stats(each, subject)
            left.append((self._name(each), {"r": window.remaining, "t": max(0, int(window.reset_time - now) + 1)}))
        request.state.rate_limit = (self._policy, http_sf.ser(left))
        if exceeded is not None:
            retry = max(1, next(facts["t"] for name, facts in left if name == self._name(exceeded)))
            raise RateLimitedError(
                f"{principal.name} has made {exceeded.amount} requests in {exceeded.get_expiry()} seconds, "
                "which is all it may.",
                next_step=f"Come back in {retry} s; waiting for a job with ?wait=30 needs fewer requests than polling.",
                details={"limit": exceeded.amount, "window_s": exceeded.get_expiry(), "retry_after_s": retry},
            )

    def _name(self, limit: RateLimitItem) -> str:
        return POLICY if len(self._limits) == 1 else f"{POLICY}-{limit.get_expiry()}"
